"""The copy-paste sequence from nothing to the first 200 through the gateway."""

import shlex

from portal.runner.layout import Layout
from portal.runner.sample_api import SAMPLE_CONTEXT, SAMPLE_VERSION

_TEMPLATE = """
First call (paste into another terminal, in this folder):

  export ARCHWAY_HOME={home} ARCHWAY_PORT={web_port}
  TOKEN=$(.venv/bin/python manage.py api_token app-developer)
  API() {{ curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" "$@"; }}
  GET() {{ .venv/bin/python -c "import json,sys;print(json.load(sys.stdin)$1)"; }}
  # 1. an application, and a client for it at the key manager
  APP=$(API {web}/api/v1/store/applications/ -d '{{"name": "first-app-'"$(date +%s)"'",
    "credentials": [{{"key_manager": "resident", "scopes": ["books:read"]}}]}}')
  APP_ID=$(echo "$APP" | GET '["id"]'); CRED=$(echo "$APP" | GET '["credentials"][0]["id"]')
  # 2. subscribe to the sample API
  API_ID=$(curl -s '{web}/api/v1/store/apis/?q=bookshop' | GET '["results"][0]["id"]')
  API {web}/api/v1/store/subscriptions/ \\
    -d "{{\\"application\\": \\"$APP_ID\\", \\"api\\": \\"$API_ID\\", \\"plan\\": \\"gold\\"}}"; echo
  # 3. a job registers the client: wait until it is "active"
  until API {web}/api/v1/store/credentials/$CRED/ | GET '["state"]' | grep active; do sleep 0.2; done
  # 4. id and secret belong to the key manager; a token from /token
  KEYS=$(API -X POST {web}/api/v1/store/credentials/$CRED/reveal-secret/)
  ACCESS=$(curl -s {web}/token -u "$(echo "$KEYS" | GET '["client_id"]'):$(echo "$KEYS" | GET '["client_secret"]')" \\
    -d grant_type=client_credentials -d scope=books:read | GET '["access_token"]')
  # 5. the call through Envoy, which knows of a new subscription within a second
  sleep 1
  curl -i -H "Authorization: Bearer $ACCESS" {gateway}{context}/{version}/books
"""


def first_calls(layout: Layout) -> str:
    """The commands, with this run's addresses."""
    return _TEMPLATE.format(
        home=shlex.quote(str(layout.home)),
        web_port=layout.web_port,
        web=layout.web_url,
        gateway=layout.gateway_url,
        context=SAMPLE_CONTEXT,
        version=SAMPLE_VERSION,
    )
