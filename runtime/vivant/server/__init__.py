"""The gRPC server: many faces in one process. Needs the extra ``server``."""
