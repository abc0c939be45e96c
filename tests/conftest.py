"""What all tests share: a process that can be interrupted, and no test that fails for being slow."""

import signal

from hypothesis import HealthCheck, settings

# A shell starts a background job with interrupts ignored, and what it starts inherits that. Tests interrupt the
# processes that they start, so these must begin as they would in a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Machines are noisy: how long an example takes says nothing.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
