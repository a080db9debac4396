"""wandb, a reader of the workspace.

The workspace is the truth. What wandb gets is read from the files of runs: by a child process while
they are recorded (`reader`), or later, for a whole group (`sync`). `download` is the way back.
"""
