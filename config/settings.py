"""All settings, read from the environment. docs/operations.md says what each one is for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import django_stubs_ext
from kombu import Queue

from config import env

django_stubs_ext.monkeypatch()  # lets forms and managers name their model in their type

BASE_DIR = Path(__file__).resolve().parent.parent

# Who may reach us
SECRET_KEY = env.text("SECRET_KEY")
DEBUG = env.yes("DEBUG")
PUBLIC_URL = env.url("PUBLIC_URL")
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", _public.hostname or "")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
HTTPS = _public.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_SSL_REDIRECT = False  # the proxy's work; providers sign the https URL they were given
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
BEHIND_TLS_PROXY = env.yes("BEHIND_TLS_PROXY")
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# What runs
INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "csp",
    "channels",
    "customers",
    "connectors",
    "inbox",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "inbox.webhooks.door",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "inbox.http.no_store",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # a redirected webhook POST loses its body
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "inbox.http.shell",
            ],
            "loaders": [
                ("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"]),
            ],
        },
    }
]
if DEBUG:
    TEMPLATES[0]["OPTIONS"]["loaders"] = ["django.template.loaders.filesystem.Loader"]


# Where things are kept
def _database(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "config.database",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": env.number("DATABASE_POOL", 8), "timeout": 10},
            "application_name": "throughline",
            # A statement that comes again is planned once. Poolers that give every transaction another connection
            # must know of prepared statements (PgBouncer 1.21), or this is 0.
            "server_side_binding": True,
            "prepare_threshold": env.number("DATABASE_PREPARE_AFTER", 5) or None,
            **query,
        },
        "TEST": {"NAME": "test_throughline"},
    }


DATABASES = {"default": _database(env.url("DATABASE_URL", schemes=("postgres", "postgresql")))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.url("REDIS_URL", schemes=("redis", "rediss", "unix"))
DATA_DIR = Path(env.text("DATA_DIR"))
CREDENTIAL_KEYS = env.words("CREDENTIAL_KEYS")
if not CREDENTIAL_KEYS:
    raise env.BadSetting(
        "CREDENTIAL_KEYS is not set. It holds one or more Fernet keys, newest first; make one with `manage.py new_key`."
    )

# The agents' language, zone and sign-in
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env.text("TIME_ZONE", "UTC")
AUTH_USER_MODEL = "inbox.Agent"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "var" / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]  # what packages bring is not used
FILE_STORAGE = env.text("FILE_STORAGE", "django.core.files.storage.FileSystemStorage")
STORAGES = {
    "default": {"BACKEND": FILE_STORAGE, "OPTIONS": env.options("FILE_STORAGE_OPTIONS") or {"location": DATA_DIR}},
    "staticfiles": {"BACKEND": "config.static.HashedFiles"},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'", PUBLIC_URL.replace("http", "ws", 1)],
        "frame-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
        "base-uri": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

# Work that waits for nobody
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# What people wait for goes first: messages, then their pictures. What may take its time waits until those are empty.
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_QUEUES = [Queue("celery"), Queue("files", routing_key="files"), Queue("later", routing_key="later")]
_LATER = ("inbox.proposing.*", "inbox.importing.*", "inbox.privacy.*", "*.clear_*")
CELERY_TASK_ROUTES = {name: {"queue": "later"} for name in _LATER} | {"inbox.intake.fetch_file": {"queue": "files"}}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_TIME_LIMIT = 150
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "queue_order_strategy": "priority",  # as in CELERY_TASK_QUEUES
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "retry_on_timeout": True,
}

# The far ends of the channels
TWILIO_API_URL = env.url("TWILIO_API_URL", "https://api.twilio.com")
GRAPH_API_URL = env.url("GRAPH_API_URL", "https://graph.instagram.com")
FACEBOOK_API_URL = env.url("FACEBOOK_API_URL", "https://graph.facebook.com")  # accounts behind a Facebook page
INSTAGRAM_SIGN_IN_URL = env.url("INSTAGRAM_SIGN_IN_URL", "https://www.instagram.com")
INSTAGRAM_CODE_URL = env.url("INSTAGRAM_CODE_URL", "https://api.instagram.com")
FACEBOOK_SIGN_IN_URL = env.url("FACEBOOK_SIGN_IN_URL", "https://www.facebook.com")
GRAPH_API_VERSION = env.text("GRAPH_API_VERSION", "v25.0")
ALLOW_PRIVATE_HOSTS = env.yes("ALLOW_PRIVATE_HOSTS")
MAIL_CA_FILE = env.text("MAIL_CA_FILE", "")
CLAMD = env.text("CLAMD", "")  # host:port, or the path of its socket

# House rules
_ROLES = ("agent", "supervisor", "admin")
RIGHTS = {  # the lowest role that may: erase one message; erase a person or an address; hand out all of it
    "redact": env.choice("MAY_REDACT", "supervisor", _ROLES),
    "erase": env.choice("MAY_ERASE", "admin", _ROLES),
    "export": env.choice("MAY_EXPORT", "admin", _ROLES),
}
UNDO_SECONDS = env.number("UNDO_SECONDS", 5)
REOPEN_DAYS = env.number("REOPEN_DAYS", 7)
CODE_HOURS = env.number("CODE_HOURS", 72)  # how long a code told to a customer can be used
UNSEEN_ALERT_MINUTES = env.number("UNSEEN_ALERT_MINUTES", 10)
DEFAULT_REGION = env.text("DEFAULT_REGION", "US")
try:
    ORDER_NUMBER = re.compile(
        env.text("ORDER_NUMBER_PATTERN", r"(?<![\w#])#(\d{4,10})\b|\border\s+(?:no\.?\s*)?(\d{4,10})\b"), re.I
    )
except re.error as error:
    raise env.BadSetting(f"ORDER_NUMBER_PATTERN is not a regular expression: {error}.") from None

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "twilio.http_client": {"level": "WARNING"},  # it logs bodies
    },
}
# W008 SECURE_SSL_REDIRECT: see above. W019 X_FRAME_OPTIONS: the frame that shows a mail is a page of ours.
SILENCED_SYSTEM_CHECKS = ["security.W008", "security.W019"]
