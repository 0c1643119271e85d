"""Settings of every Archway process; each value that an operator may change is read from the environment.

``docs/reference/settings.md`` lists them. The embedded defaults need Python only: SQLite and files below
``ARCHWAY_HOME``.
"""

import os
from pathlib import Path

import dj_database_url
import django_stubs_ext

from common.origins import origin_of
from keymanager.resident.toolkit_settings import (  # noqa: F401 - Django reads these names from this module
    CLIENT_SECRET_HASHER_PATH,
    OAUTH2_PROVIDER,
    OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL,
    OAUTH2_PROVIDER_APPLICATION_MODEL,
    OAUTH2_PROVIDER_GRANT_MODEL,
    OAUTH2_PROVIDER_ID_TOKEN_MODEL,
    OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL,
)
from portal import file_broker
from portal.environment import env_bool, env_int, env_list, env_port, instance_secret, shipped_languages

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

# --- where things are ---------------------------------------------------------------------------------------------
ARCHWAY_HOME = Path(os.environ.get("ARCHWAY_HOME", BASE_DIR / ".archway")).resolve()
ARCHWAY_PORT = env_port("ARCHWAY_PORT", 8000)
ARCHWAY_GATEWAY_PORT = env_port("ARCHWAY_GATEWAY_PORT", 8080)
ARCHWAY_VALIDATOR_PORT = env_port("ARCHWAY_VALIDATOR_PORT", 8090)
ARCHWAY_PUBLIC_URL = os.environ.get("ARCHWAY_PUBLIC_URL", f"http://127.0.0.1:{ARCHWAY_PORT}").rstrip("/")
ARCHWAY_GATEWAY_URL = os.environ.get("ARCHWAY_GATEWAY_URL", f"http://127.0.0.1:{ARCHWAY_GATEWAY_PORT}").rstrip("/")
ARCHWAY_PARTS = env_list("ARCHWAY_PARTS", ["publisher", "store", "administration", "keymanager"])
ARCHWAY_REDIS_URL = os.environ.get("ARCHWAY_REDIS_URL", "")

# Keys of the secrets at rest, newest first, as in a key file (lines or commas between them); empty: the file
# secrets.keys below ARCHWAY_HOME, made on first use.
ARCHWAY_SECRET_KEYS = os.environ.get("ARCHWAY_SECRET_KEYS", "")

# Networks that a URL typed by a person may point to although they are private, e.g. "127.0.0.0/8,10.1.0.0/16".
ARCHWAY_ALLOWED_NETWORKS = env_list("ARCHWAY_ALLOWED_NETWORKS", [])

# --- registrations ------------------------------------------------------------------------------------------------
ARCHWAY_REGISTRATION_LEASE_SECONDS = env_int("ARCHWAY_REGISTRATION_LEASE_SECONDS", 60)
ARCHWAY_REGISTRATION_MAX_ATTEMPTS = env_int("ARCHWAY_REGISTRATION_MAX_ATTEMPTS", 12)
ARCHWAY_SWEEP_SECONDS = env_int("ARCHWAY_SWEEP_SECONDS", 2)
ARCHWAY_FOLLOW_CHANGES_SECONDS = env_int("ARCHWAY_FOLLOW_CHANGES_SECONDS", 60)
# So many calls in a row that a key manager does not take open its circuit for so many seconds.
ARCHWAY_CIRCUIT_FAILURES = env_int("ARCHWAY_CIRCUIT_FAILURES", 5)
ARCHWAY_CIRCUIT_SECONDS = env_int("ARCHWAY_CIRCUIT_SECONDS", 30)

# --- front door ---------------------------------------------------------------------------------------------------
# How long a request to /register waits for the job, and how long a revoked token without a known end is remembered.
ARCHWAY_REGISTER_WAIT_SECONDS = env_int("ARCHWAY_REGISTER_WAIT_SECONDS", 10)
ARCHWAY_LONGEST_TOKEN_SECONDS = env_int("ARCHWAY_LONGEST_TOKEN_SECONDS", 30 * 24 * 3600)

# --- validation ---------------------------------------------------------------------------------------------------
ARCHWAY_VALIDATION_STEPS = env_list(
    "ARCHWAY_VALIDATION_STEPS",
    [
        "keymanager.validation.steps.RouteStep",
        "keymanager.validation.steps.CredentialPresentStep",
        "keymanager.validation.steps.TokenStep",
        "keymanager.validation.steps.AudienceStep",
        "keymanager.validation.steps.KeyManagerStep",
        "keymanager.validation.steps.ApplicationStep",
        "keymanager.validation.steps.SubscriptionStep",
        "keymanager.validation.steps.PlanLimitStep",
        "keymanager.validation.steps.ScopesStep",
        "keymanager.validation.steps.BackendJwtStep",
    ],
)
ARCHWAY_VALIDATOR_HEADERS = env_list("ARCHWAY_VALIDATOR_HEADERS", ["x-request-id", "traceparent"])
ARCHWAY_VALIDATOR_SOCKET = os.environ.get("ARCHWAY_VALIDATOR_SOCKET", "")
ARCHWAY_VALIDATOR_HOST = os.environ.get("ARCHWAY_VALIDATOR_HOST", "127.0.0.1")
ARCHWAY_VALIDATOR_TIMEOUT_MILLISECONDS = env_int("ARCHWAY_VALIDATOR_TIMEOUT_MILLISECONDS", 10_000)
ARCHWAY_GATEWAY_HOST = os.environ.get("ARCHWAY_GATEWAY_HOST", "127.0.0.1")
# Origins besides the portal's own whose pages may call APIs through the gateway.
ARCHWAY_GATEWAY_CORS_ORIGINS = env_list("ARCHWAY_GATEWAY_CORS_ORIGINS", [])
ARCHWAY_GATEWAY_ACCESS_LOG = os.environ.get("ARCHWAY_GATEWAY_ACCESS_LOG", "")
ARCHWAY_GATEWAY_THREADS = env_int("ARCHWAY_GATEWAY_THREADS", 2)
ARCHWAY_CHANGE_POLL_MILLISECONDS = env_int("ARCHWAY_CHANGE_POLL_MILLISECONDS", 250)
ARCHWAY_TOKEN_CACHE_SECONDS = env_int("ARCHWAY_TOKEN_CACHE_SECONDS", 60)
# How late a change may become visible and still be seen by followers: longer than any transaction that announces one.
ARCHWAY_CHANGE_WINDOW_SECONDS = env_int("ARCHWAY_CHANGE_WINDOW_SECONDS", 300)
# A validator that could not read its database for longer refuses every call.
ARCHWAY_VALIDATOR_STALE_SECONDS = env_int("ARCHWAY_VALIDATOR_STALE_SECONDS", 5)
# How long a call waits for a key manager's word on its token; the gateway's own patience must be longer.
ARCHWAY_TOKEN_WAIT_SECONDS = env_int("ARCHWAY_TOKEN_WAIT_SECONDS", 4)

# --- Django -------------------------------------------------------------------------------------------------------
DEBUG = env_bool("ARCHWAY_DEBUG", False)
SECRET_KEY = instance_secret(ARCHWAY_HOME, "ARCHWAY_SECRET_KEY", "django.key")
# Old ones, while sessions and what is sealed with derived keys still need them.
SECRET_KEY_FALLBACKS = env_list("ARCHWAY_SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = env_list("ARCHWAY_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("ARCHWAY_TRUSTED_ORIGINS", [])
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ARCHWAY_PUBLIC_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "oauth2_provider",
    "accounts",
    "subscriptions",
    "keymanager",
    "keymanager.resident.apps.ResidentConfig",
    "publisher",
    "store",
    "administration",
    "gateway",
    "portal",
]

# A pasted API definition may have 5 MB (publisher.definitions.MAX_BYTES), and the form has other fields beside it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.CorrelationIdMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.page_failures.PageFailures",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.navigation.navigation",
            ],
        },
    }
]

FORM_RENDERER = "accounts.pages.forms.PortalRenderer"

DATABASES = {
    "default": dj_database_url.config(
        env="ARCHWAY_DATABASE_URL", default=f"sqlite:///{ARCHWAY_HOME / 'archway.sqlite3'}", conn_max_age=60
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Several processes share the file: wait for the writer instead of failing, and take the lock when a transaction
    # starts so that it cannot fail half-way.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "portal.sign_in.openid.OpenIdBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# People's passwords use the first; clients of the resident key manager have 128-character random secrets, for which
# a fast hasher is as strong and does not cost a second of CPU a token.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    CLIENT_SECRET_HASHER_PATH,
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

LANGUAGE_CODE = "en"
# English, and every language that has a compiled catalogue in locale/; the browser says which one its person reads.
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = shipped_languages(BASE_DIR / "locale")
if len(LANGUAGES) > 1:
    MIDDLEWARE.insert(
        MIDDLEWARE.index("django.middleware.common.CommonMiddleware"), "django.middleware.locale.LocaleMiddleware"
    )
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = ARCHWAY_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- signing in elsewhere -----------------------------------------------------------------------------------------
# The OpenID provider; without an issuer there is none. Endpoints that are not given here are discovered.
ARCHWAY_OIDC_ISSUER = os.environ.get("ARCHWAY_OIDC_ISSUER", "")
ARCHWAY_OIDC_LABEL = os.environ.get("ARCHWAY_OIDC_LABEL", "")
ARCHWAY_OIDC_CLIENT_ID = os.environ.get("ARCHWAY_OIDC_CLIENT_ID", "")
ARCHWAY_OIDC_CLIENT_SECRET = os.environ.get("ARCHWAY_OIDC_CLIENT_SECRET", "")
ARCHWAY_OIDC_CLIENT_AUTHENTICATION = os.environ.get("ARCHWAY_OIDC_CLIENT_AUTHENTICATION", "client_secret_basic")
ARCHWAY_OIDC_SCOPES = env_list("ARCHWAY_OIDC_SCOPES", ["openid", "profile", "email"])
ARCHWAY_OIDC_ALGORITHM = os.environ.get("ARCHWAY_OIDC_ALGORITHM", "RS256")
ARCHWAY_OIDC_AUTHORIZATION_ENDPOINT = os.environ.get("ARCHWAY_OIDC_AUTHORIZATION_ENDPOINT", "")
ARCHWAY_OIDC_TOKEN_ENDPOINT = os.environ.get("ARCHWAY_OIDC_TOKEN_ENDPOINT", "")
ARCHWAY_OIDC_USERINFO_ENDPOINT = os.environ.get("ARCHWAY_OIDC_USERINFO_ENDPOINT", "")
ARCHWAY_OIDC_JWKS_URI = os.environ.get("ARCHWAY_OIDC_JWKS_URI", "")
ARCHWAY_OIDC_END_SESSION_ENDPOINT = os.environ.get("ARCHWAY_OIDC_END_SESSION_ENDPOINT", "")
ARCHWAY_OIDC_USERNAME_CLAIM = os.environ.get("ARCHWAY_OIDC_USERNAME_CLAIM", "preferred_username")
ARCHWAY_OIDC_EMAIL_CLAIM = os.environ.get("ARCHWAY_OIDC_EMAIL_CLAIM", "email")
ARCHWAY_OIDC_GROUPS_CLAIM = os.environ.get("ARCHWAY_OIDC_GROUPS_CLAIM", "groups")
ARCHWAY_OIDC_ROLES_CLAIM = os.environ.get("ARCHWAY_OIDC_ROLES_CLAIM", "roles")
# The directory (LDAP); without an address there is none. It needs the extra `ldap`.
ARCHWAY_LDAP_URL = os.environ.get("ARCHWAY_LDAP_URL", "")
ARCHWAY_LDAP_NAME = os.environ.get("ARCHWAY_LDAP_NAME", "directory")
ARCHWAY_LDAP_KIND = os.environ.get("ARCHWAY_LDAP_KIND", "openldap")
ARCHWAY_LDAP_START_TLS = env_bool("ARCHWAY_LDAP_START_TLS", False)
ARCHWAY_LDAP_CA_FILE = os.environ.get("ARCHWAY_LDAP_CA_FILE", "")
ARCHWAY_LDAP_BIND_DN = os.environ.get("ARCHWAY_LDAP_BIND_DN", "")
ARCHWAY_LDAP_BIND_PASSWORD = os.environ.get("ARCHWAY_LDAP_BIND_PASSWORD", "")
ARCHWAY_LDAP_USER_BASE = os.environ.get("ARCHWAY_LDAP_USER_BASE", "")
ARCHWAY_LDAP_USER_FILTER = os.environ.get("ARCHWAY_LDAP_USER_FILTER", "")
ARCHWAY_LDAP_GROUP_BASE = os.environ.get("ARCHWAY_LDAP_GROUP_BASE", "")
if ARCHWAY_LDAP_URL:
    AUTHENTICATION_BACKENDS.append("portal.sign_in.ldap.DirectoryBackend")

# A table or view of another database (SQL) that has people with passwords; without an address there is none.
ARCHWAY_SQL_USERS_URL = os.environ.get("ARCHWAY_SQL_USERS_URL", "")
ARCHWAY_SQL_USERS_NAME = os.environ.get("ARCHWAY_SQL_USERS_NAME", "users")
ARCHWAY_SQL_USERS_TABLE = os.environ.get("ARCHWAY_SQL_USERS_TABLE", "users")
ARCHWAY_SQL_USERS_COLUMNS = env_list("ARCHWAY_SQL_USERS_COLUMNS", [])
ARCHWAY_SQL_USERS_PASSWORD_SCHEME = os.environ.get("ARCHWAY_SQL_USERS_PASSWORD_SCHEME", "django")
ARCHWAY_SQL_USERS_GROUPS_TABLE = os.environ.get("ARCHWAY_SQL_USERS_GROUPS_TABLE", "")
if ARCHWAY_SQL_USERS_URL:
    AUTHENTICATION_BACKENDS.append("portal.sign_in.sql_users.SqlUsersBackend")

# What groups and roles elsewhere give here: "group:staff=publisher", "role:admin=administrator", "group:museum=Museum".
ARCHWAY_SIGN_IN_ROLES = env_list("ARCHWAY_SIGN_IN_ROLES", [])
ARCHWAY_SIGN_IN_TEAMS = env_list("ARCHWAY_SIGN_IN_TEAMS", [])
ARCHWAY_SIGN_IN_ROLES_FOR_ALL = env_list("ARCHWAY_SIGN_IN_ROLES_FOR_ALL", [])

# No inline script and no inline style exists, so no nonce is needed.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'", origin_of(ARCHWAY_GATEWAY_URL)],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# --- REST ---------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.rest.authentication.ApiTokenAuthentication",
        "accounts.rest.authentication.PortalSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.rest.parsers.StorableJsonParser"],
    "DEFAULT_PAGINATION_CLASS": "accounts.rest.pagination.PageNumberPages",
    "DEFAULT_FILTER_BACKENDS": ["accounts.rest.strictness.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.rest.problems.problem_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Archway REST API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "portal.schema_errors.with_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "Role": "accounts.models.Role",
        "ApiState": "portal.schema_names.api_states",
        "ApplicationState": "portal.schema_names.application_states",
        "SubscriptionState": "portal.schema_names.subscription_states",
        "RegistrationState": "portal.schema_names.registration_states",
    },
}

# --- OAuth server of the resident key manager ----------------------------------------------------------------------
# Lifetimes (ARCHWAY_RESIDENT_*_SECONDS) are read where they are used, in keymanager.resident.toolkit_settings.
ARCHWAY_RESIDENT_TOKEN_FORMAT = os.environ.get("ARCHWAY_RESIDENT_TOKEN_FORMAT", "jwt")
ARCHWAY_RESIDENT_ALLOW_PASSWORD_GRANT = env_bool("ARCHWAY_RESIDENT_ALLOW_PASSWORD_GRANT", False)

# --- Celery -------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = ARCHWAY_REDIS_URL or f"{file_broker.SCHEME}://localhost"
_QUEUE_FOLDER = ARCHWAY_HOME / "queue"
# A request that asks for a job must not wait for a broker that is down: the sweep finds the work later.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
        "socket_connect_timeout": 1,
    }
    if ARCHWAY_REDIS_URL
    else {
        "data_folder_in": str(_QUEUE_FOLDER),
        "data_folder_out": str(_QUEUE_FOLDER),
        "control_folder": str(ARCHWAY_HOME / "queue-control"),
        "polling_interval": 0.1,
    }
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Beat sleeps no longer than this, so that a worker with a beat stops soon when it is told to.
CELERY_BEAT_MAX_LOOP_INTERVAL = 0.5
CELERY_BEAT_SCHEDULE_FILENAME = str(ARCHWAY_HOME / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep-registrations": {
        "task": "keymanager.jobs.sweep_registrations",
        "schedule": float(ARCHWAY_SWEEP_SECONDS),
    },
    "look-for-changes": {
        "task": "keymanager.jobs.look_for_changes",
        "schedule": float(ARCHWAY_FOLLOW_CHANGES_SECONDS),
        # What nobody took until the next round comes again.
        "options": {"expires": float(ARCHWAY_FOLLOW_CHANGES_SECONDS)},
    },
    "forget-what-is-old": {"task": "keymanager.jobs.forget_what_is_old", "schedule": 3600.0},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "common.redact.RedactingFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]}},
    "root": {"handlers": ["console"], "level": os.environ.get("ARCHWAY_LOG_LEVEL", "INFO")},
    # One line per request to a key manager says nothing that the attempts do not say better.
    "loggers": {"httpx2": {"level": "WARNING"}, "httpcore2": {"level": "WARNING"}},
}
