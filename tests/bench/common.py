"""The integration tests' harness and rules, which are in another folder: from common import harness, possible."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import harness  # noqa: E402, F401
import possible  # noqa: E402, F401
