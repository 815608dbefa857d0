"""The story: one part of a dataset for one day. It begins in `pipeline.py`."""
