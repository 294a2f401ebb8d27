"""Which commands there are: known without importing one of them, so that starting stays quick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from nacre.cli.console import Console
    from nacre.cli.flags import Flag, Given

    class Command(Protocol):
        """What a module under ``nacre.cli.commands`` offers.

        It may also have a text ``MORE``, which its help ends with, and ``UNTIL_WORD``: whether
        its flags end at the first word.
        """

        FLAGS: Sequence[Flag]
        """What it takes besides words; how many words it takes, its usage in the table says."""

        run: Callable[[Given, Console], int]
        """Do it and return the exit code."""


class Entry:
    """A command's place: how it is typed, which module runs it, what help says of it."""

    def __init__(self, path: tuple[str, ...], module: str, summary: str, usage: str) -> None:
        self.path = path
        self.module = module
        self.summary = summary
        self.usage = usage

    def load(self) -> Command:
        """Import the command."""
        return import_module(f"nacre.cli.commands.{self.module}")

    @property
    def names(self) -> list[str]:
        """Every way to type it, as help lists them."""
        shorts = [(short,) for short, path in SHORT_FORMS.items() if path == self.path]
        others = [other for other, path in _ALIASES.items() if path == self.path]
        return [f"nacre {' '.join(path)}" for path in (self.path, *others, *shorts)]


GROUPS = {
    "hub": "Run and manage a hub: a registry of your own",
    "image": "Manage images",
    "manifest": "Manage multi-platform image indexes",
    "system": "Manage nacre",
}

SUBGROUPS = {
    "hub namespace": "Manage the namespaces of a hub",
    "hub repo": "Manage the repositories of a hub",
    "hub retention": "Manage which tags of a hub are kept",
    "hub tag": "See and restore the tags of a hub",
    "hub user": "Manage the users of a hub",
}
"""Groups within groups."""

_TABLE = (
    ("hub config", "hub_config", "Print the settings of a hub, documented", ""),
    ("hub fsck", "hub_fsck", "Check that the records of a hub and its bytes fit together", ""),
    ("hub gc", "hub_gc", "Remove what nobody can name any more", ""),
    ("hub namespace ls", "hub_namespace_ls", "List namespaces", ""),
    (
        "hub namespace set",
        "hub_namespace_set",
        "Change what holds in a namespace, making it when missing",
        "NAMESPACE",
    ),
    ("hub rebuild", "hub_rebuild", "Make lost records of a hub again from its journal", ""),
    (
        "hub repo grant",
        "hub_repo_grant",
        "Give a user a role in a repository, or in a namespace (team/)",
        "REPOSITORY USER {reader|writer|owner}",
    ),
    ("hub repo ls", "hub_repo_ls", "List repositories", ""),
    (
        "hub repo revoke",
        "hub_repo_revoke",
        "Take a user's role in a repository, or in a namespace (team/), away",
        "REPOSITORY USER",
    ),
    (
        "hub repo rm",
        "hub_repo_rm",
        "Remove one or more repositories with all their images",
        "REPOSITORY [REPOSITORY...]",
    ),
    ("hub repo set", "hub_repo_set", "Change what holds in a repository", "REPOSITORY"),
    (
        "hub retention run",
        "hub_retention_run",
        "Delete the tags that are not to be kept, in all repositories or one",
        "[REPOSITORY]",
    ),
    (
        "hub retention set",
        "hub_retention_set",
        "Change which tags a repository keeps, or all of a namespace (team/)",
        "REPOSITORY",
    ),
    (
        "hub retention show",
        "hub_retention_show",
        "Show which tags a repository keeps, or all of a namespace (team/)",
        "REPOSITORY",
    ),
    ("hub serve", "hub_serve", "Start a hub", ""),
    (
        "hub tag history",
        "hub_tag_history",
        "Show what happened to a tag, or to all of a repository",
        "REPOSITORY[:TAG]",
    ),
    ("hub tag ls", "hub_tag_ls", "List the tags of a repository", "REPOSITORY"),
    (
        "hub tag restore",
        "hub_tag_restore",
        "Let a tag point again to what it pointed to before",
        "REPOSITORY:TAG [DIGEST]",
    ),
    ("hub user add", "hub_user_add", "Add a user and the namespace of the same name", "USER"),
    ("hub user ls", "hub_user_ls", "List users", ""),
    ("hub user passwd", "hub_user_passwd", "Change a user's password", "USER"),
    (
        "hub user rm",
        "hub_user_rm",
        "Remove one or more users; their repositories stay",
        "USER [USER...]",
    ),
    (
        "image blame",
        "image_blame",
        "Show which layers of an image put a path there",
        "IMAGE:PATH",
    ),
    (
        "image cat",
        "image_cat",
        "Write files of an image to STDOUT",
        "IMAGE:PATH [IMAGE:PATH...]",
    ),
    ("image copy", "image_copy", "Copy an image between any two places", "SOURCE DESTINATION"),
    (
        "image cp",
        "image_cp",
        "Copy files out of an image to the local filesystem",
        "IMAGE:PATH DEST|-",
    ),
    ("image diff", "image_diff", "Show what differs in the files of two images", "IMAGE IMAGE"),
    (
        "image export",
        "image_export",
        "Export an image's filesystem as a tar archive",
        "IMAGE",
    ),
    ("image history", "image_history", "Show the history of an image", "IMAGE"),
    (
        "image import",
        "image_import",
        "Import the contents from a tarball to create a filesystem image",
        "FILE|URL|- [REPOSITORY[:TAG]]",
    ),
    (
        "image inspect",
        "image_inspect",
        "Display detailed information on one or more images",
        "IMAGE [IMAGE...]",
    ),
    (
        "image layers",
        "image_layers",
        "Show what the layers of an image hold and waste",
        "IMAGE",
    ),
    ("image load", "image_load", "Load an image from a tar archive or STDIN", ""),
    (
        "image ls",
        "image_ls",
        "List images, or the files of one",
        "[REPOSITORY[:TAG]|IMAGE:PATH]",
    ),
    (
        "image mount",
        "image_mount",
        "Mount an image's filesystem in a folder, or list what is mounted",
        "[IMAGE] [DIR]",
    ),
    ("image prune", "image_prune", "Remove unused images", ""),
    ("image pull", "image_pull", "Download an image from a registry", "NAME[:TAG|@DIGEST]"),
    ("image push", "image_push", "Upload an image to a registry", "NAME[:TAG]"),
    ("image rm", "image_rm", "Remove one or more images", "IMAGE [IMAGE...]"),
    (
        "image save",
        "image_save",
        "Save one or more images to a tar archive (streamed to STDOUT by default)",
        "IMAGE [IMAGE...]",
    ),
    (
        "image tag",
        "image_tag",
        "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
        "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    ),
    (
        "image unmount",
        "image_unmount",
        "Unmount images from folders",
        "DIR [DIR...]",
    ),
    (
        "image verify",
        "image_verify",
        "Check that every byte of an image is what its digest says",
        "[IMAGE...]",
    ),
    (
        "manifest create",
        "manifest_create",
        "Create a local index of several images",
        "INDEX MANIFEST [MANIFEST...]",
    ),
    (
        "manifest inspect",
        "manifest_inspect",
        "Display an image manifest or index",
        "MANIFEST",
    ),
    ("manifest push", "manifest_push", "Push an index to a registry", "INDEX [DESTINATION]"),
    ("system df", "system_df", "Show disk usage", ""),
    ("system info", "system_info", "Display system-wide information", ""),
    ("system prune", "system_prune", "Remove unused data", ""),
    ("completion", "completion", "Generate a completion script for a shell", "{bash|zsh|fish}"),
    ("inspect", "inspect", "Return low-level information on objects", "NAME|ID [NAME|ID...]"),
    ("login", "login", "Authenticate to a registry", "[SERVER]"),
    ("logout", "logout", "Log out from a registry", "[SERVER]"),
    ("search", "search", "Search a registry for images", "TERM"),
    (
        "unshare",
        "unshare",
        "Run a command, or a shell, where an ordinary user may mount images",
        "[COMMAND] [ARG...]",
    ),
    ("version", "version", "Show the nacre version information", ""),
)

ENTRIES = {
    tuple(path.split()): Entry(tuple(path.split()), module, summary, usage)
    for path, module, summary, usage in _TABLE
}

SHORT_FORMS = {
    "history": ("image", "history"),
    "images": ("image", "ls"),
    "import": ("image", "import"),
    "info": ("system", "info"),
    "load": ("image", "load"),
    "pull": ("image", "pull"),
    "push": ("image", "push"),
    "rmi": ("image", "rm"),
    "save": ("image", "save"),
    "tag": ("image", "tag"),
}

_ALIASES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("image", "list"): ("image", "ls"),
    ("image", "remove"): ("image", "rm"),
    ("image", "umount"): ("image", "unmount"),
}

COMPLETE = "__complete"
"""The command behind the completion scripts; what follows is a command line to be completed."""

COMMON = ("pull", "push", "images", "login", "logout", "search", "version", "info")
"""The commands that help shows first, in Docker's order."""


def find(words: Sequence[str]) -> tuple[Entry, int] | None:
    """Return the command that the words start with and how many of them name it, or None."""
    for length in (1, 2, 3):
        path = tuple(words[:length])
        entry = ENTRIES.get(SHORT_FORMS.get(path[0], _ALIASES.get(path, path))) if path else None
        if entry:
            return entry, length
    return None


def group(name: str) -> list[Entry]:
    """Return the commands of a group such as ``image`` or ``hub user``, sorted."""
    words = tuple(name.split())
    size = len(words)
    return [entry for path, entry in sorted(ENTRIES.items()) if path[:size] == words != path]


def group_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return those of the first words that name a group, as deep as there is one."""
    for size in (2, 1):
        name = " ".join(words[:size])
        if name in GROUPS or name in SUBGROUPS:
            return tuple(words[:size])
    return ()


def single_words() -> list[str]:
    """Return every command that is typed as one word, sorted."""
    return sorted({*SHORT_FORMS, *(path[0] for path in ENTRIES if len(path) == 1)})
