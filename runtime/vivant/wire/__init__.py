"""Wire codec: the library's values as the contract's messages (proto/vivant/v1) and back. Needs the extra ``server``.

The only place, with `vivant.server` and `vivant.client`, that knows protobuf.
"""
