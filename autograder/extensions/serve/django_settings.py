"""Django's settings, made from the course: there is no settings module, and nothing to edit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from autograder.errors import UsageError
from autograder.extensions.serve import course_tables, state_folder
from autograder.extensions.serve.course_keys import door
from autograder.records.course import Course
from autograder.submissions.members import MIB

DATABASE_VARIABLE = "AUTOGRADER_SERVE_DATABASE"
"""Environment variable with the address of a PostgreSQL database; without it, the queue is in SQLite."""
_CACHE = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}}
"""Where the answers of a Hub are kept."""
LOCK_SECONDS = 20
"""Seconds that SQLite waits for another process that writes."""
SESSION_SECONDS = 120 * 86_400
PACKAGE = "autograder.extensions.serve"


def configure(root: Path) -> Course:
    """Set Django up for a course, and bring its database up to date.

    Raises:
        CourseError: course.yaml is wrong.
        HostError: the door's folder cannot be written.
        UsageError: the database's address is none of PostgreSQL's.
    """
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    course = course_tables.read(root).course
    settings.configure(**_values(course, state_folder.prepare(course)))
    django.setup()
    with state_folder.lock(course, "tables"):  # several processes may start at the same time
        call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()  # processes are forked from this one, and none may share a connection
    return course


def _values(course: Course, secret: str) -> dict[str, Any]:
    wanted = door(course)
    path = f"{wanted.prefix}/"
    hosts = [*wanted.hosts, *filter(None, [urlsplit(wanted.url).hostname])]
    return {
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]", *(host.partition(":")[0] for host in hosts)],
        "CACHES": {"default": _CACHE},
        "CSRF_COOKIE_PATH": path,
        "CSRF_COOKIE_SECURE": wanted.is_encrypted,
        "CSRF_FAILURE_VIEW": f"{PACKAGE}.faults.no_csrf_token",
        "CSRF_TRUSTED_ORIGINS": [*filter(None, [wanted.origin]), *(f"https://{host}" for host in wanted.hosts)],
        "DATABASES": {"default": _database(course)},
        "DATA_UPLOAD_MAX_MEMORY_SIZE": MIB,
        "DATA_UPLOAD_MAX_NUMBER_FILES": 1,
        "FILE_UPLOAD_HANDLERS": ["django.core.files.uploadhandler.TemporaryFileUploadHandler"],
        "FILE_UPLOAD_TEMP_DIR": str(state_folder.incoming(course)),
        "INSTALLED_APPS": [PACKAGE],
        "LANGUAGES": [("en", "English"), ("de", "Deutsch")],
        "LANGUAGE_CODE": "en",
        "LOGGING_CONFIG": None,
        "MIDDLEWARE": [
            f"{PACKAGE}.access_log.note",
            f"{PACKAGE}.pages.add_headers",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            f"{PACKAGE}.faults.refuse_large_bodies",  # before anything reads the body
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
        "ROOT_URLCONF": f"{PACKAGE}.urls",
        "SECRET_KEY": secret,
        "SESSION_COOKIE_AGE": SESSION_SECONDS,
        "SESSION_COOKIE_PATH": path,
        "SESSION_COOKIE_SECURE": wanted.is_encrypted,
        "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
        "COURSE_ROOT": course.root,
    }


def _database(course: Course) -> dict[str, Any]:
    address = os.environ.get(DATABASE_VARIABLE, "")
    if address:
        return _postgresql(address)
    options = {
        "timeout": LOCK_SECONDS,
        "transaction_mode": "IMMEDIATE",
        # A receipt is given for a row that is on the disk.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(state_folder.database(course)), "OPTIONS": options}


def _postgresql(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise UsageError(f"{DATABASE_VARIABLE} is no address like postgresql://user@host/database")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
