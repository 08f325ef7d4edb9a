"""Logs that several users write: containers that run under different users on one volume.

A log is its owner's alone. A directory that was made for a group (``chmod g+rws``: what is made in it
belongs to that group) says that this one is not; then its group may do with the segments and side
files what it may do with the directory, whatever the umask of who made them.
"""

import os
import stat

GROUP = stat.S_IRGRP | stat.S_IWGRP
IS_POSIX = os.name == "posix"


def share(fd: int, directory: str | int) -> None:
    """Let the group of a shared ``directory`` into what is new in it, a file or a directory."""
    if not IS_POSIX:
        return
    mode = os.stat(directory).st_mode
    if not mode & stat.S_ISGID:
        return
    own = os.fstat(fd).st_mode
    wanted = mode if stat.S_ISDIR(own) else own | (mode & GROUP)
    if stat.S_IMODE(own) != stat.S_IMODE(wanted):
        try:
            os.fchmod(fd, stat.S_IMODE(wanted))
        except OSError:  # another user's, who lets us in
            pass
