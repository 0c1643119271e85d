"""WSO2 Identity Server 5 and 6 with the key manager operations of API Manager's connector."""

from keymanager.adapters.wso2is.adapter import Wso2IsAdapter
from keymanager.adapters.wso2is.config import Wso2IsConfig

__all__ = ["Wso2IsAdapter", "Wso2IsConfig"]
