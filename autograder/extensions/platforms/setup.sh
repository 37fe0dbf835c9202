#!/bin/bash
# Builds the image on which submissions are graded; runs once, as root.
set -euo pipefail
source=${AUTOGRADER_ROOT:-/autograder}/source
export UV_PYTHON_INSTALL_DIR=/opt/python UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 DEBIAN_FRONTEND=noninteractive
umask 022

# What students may not read is closed before anything else happens.
chmod -R go-rwx "$source"

if ! command -v uv > /dev/null; then
    if command -v apt-get > /dev/null; then
        apt-get update
        apt-get install -y --no-install-recommends python3-pip python3-venv ca-certificates libgomp1
    fi
    python3 -m venv /opt/uv
    /opt/uv/bin/pip install uv
    export PATH="/opt/uv/bin:$PATH"
fi
uv venv --python @PYTHON@ /opt/notebook
uv pip install --python /opt/notebook/bin/python --no-deps -r "$source/requirements.txt" "$source"/*.whl

# Here, and not with the first submission, it shows where the sandbox does not hold, or where users cannot read Python.
/opt/notebook/bin/python -I -c '
import sys
import autograder.extensions.platforms.program
from autograder.errors import SandboxError
from autograder.sandbox import default_sandbox, require
try:
    require(default_sandbox(None, "@SANDBOX@"))
except SandboxError as error:
    sys.exit(str(error))
'
