"""The launcher's command line: `run`, `exec`, `stop`."""

import argparse
import os
import signal
import sys
from pathlib import Path

from config import env
from config.services.execute import execute
from config.services.layout import REPOSITORY, Layout
from config.services.refusal import Refusal, from_os_error
from config.services.run import run
from config.services.signals import Interrupted, end_with_parent, listen
from config.services.stop import stop


def main() -> int:
    args = _arguments()
    layout = Layout(args.data.resolve())
    listen()
    if args.stop_with_parent:
        end_with_parent(signal.SIGTERM, os.getppid())
    try:
        return _dispatch(args, layout)
    except Interrupted as stopped:
        return 0 if args.verb == "run" else 128 + stopped.number
    except Refusal as refusal:
        print(f"\n{refusal}", file=sys.stderr)
    except OSError as error:
        print(f"\n{from_os_error(error, layout.root)}", file=sys.stderr)
    return 1


def _dispatch(args: argparse.Namespace, layout: Layout) -> int:
    if args.verb == "run":
        run(layout, _port())
    if args.verb == "exec":
        return execute(layout, args.command, fresh=args.fresh)
    stop(layout)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m config.services", description=__doc__)
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when the calling process ends")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (("run", "everything, at http://localhost:$PORT"), ("stop", "stop a run and what it left")):
        verbs.add_parser(verb, help=text).set_defaults(data=env.var_dir())
    execution = verbs.add_parser("exec", help="one command under services of its own")
    execution.add_argument("--data", type=Path, default=REPOSITORY / "var" / "test", help="state folder")
    execution.add_argument("--fresh", action="store_true", help="begin with empty databases")
    execution.add_argument("command", nargs="+", metavar="-- COMMAND")
    return parser.parse_args()


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Refusal(f"PORT must be a number from 1 to 65535; it is {text!r}.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
