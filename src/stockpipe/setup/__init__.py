"""What `stockpipe init` makes: a settings file, a key pair, a database and a schema. Nothing is ever overwritten."""

from stockpipe.setup.database import create_place
from stockpipe.setup.env_file import write_env_file
from stockpipe.setup.keypair import KeyPair, make_key_pair

__all__ = ["KeyPair", "create_place", "make_key_pair", "write_env_file"]
