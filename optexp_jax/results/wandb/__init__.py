"""Exchange runs with wandb, which reads the workspace.

The workspace is the truth. wandb gets what the files of runs contain: a child process reads them
while runs record (`reader`), or later, for a whole group (`sync`). `download` is the way back.
"""
