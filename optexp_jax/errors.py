"""The one exception whose message is meant for the user."""


class OptexpError(ValueError):
    """A mistake the user can mend: one sentence that names the thing and the remedy.

    The command line prints the sentence and exits with code 2; a program may catch it.
    """
