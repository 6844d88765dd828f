"""Numerics of the rig builder, instead of all of SciPy: filters and regions of images, sparse systems, triangulation.

What has the name of a function of SciPy's means the same, and tests compare the two. Of each there is only what is used.
"""
