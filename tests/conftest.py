"""What all tests share: a process that can be interrupted."""

import signal

# A shell starts a background job with interrupts ignored, and what it starts inherits that. Tests interrupt the
# processes that they start, so these must begin as they would in a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
