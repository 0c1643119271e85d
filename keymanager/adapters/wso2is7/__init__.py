"""WSO2 Identity Server 7: clients by dynamic registration, their rights and secrets by the server's own API."""

from keymanager.adapters.wso2is7.adapter import Wso2Is7Adapter
from keymanager.adapters.wso2is7.config import Wso2Is7Config

__all__ = ["Wso2Is7Adapter", "Wso2Is7Config"]
