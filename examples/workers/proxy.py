"""A gRPC proxy in front of a database: hundreds of workers share its few connections.

python examples/workers/proxy.py --storage postgresql+psycopg://optuna@dbhost/optuna
"""

import argparse
import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.storages import get_storage, run_grpc_proxy_server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--storage", required=True)
    parser.add_argument("--host", default="localhost", help="to listen on")
    parser.add_argument("--port", type=int, default=13000)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ExperimentalWarning)
    storage = get_storage(arguments.storage)  # get_storage caches, RDBStorage alone would not
    run_grpc_proxy_server(storage, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
