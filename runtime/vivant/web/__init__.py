"""The web door: faces in web pages, over a WebSocket. Needs the extra ``studio``."""

from vivant.web.door import Door as Door
from vivant.web.door import answered as answered
from vivant.web.guard import CSP as CSP
from vivant.web.guard import Guard as Guard
from vivant.web.server import WebServer as WebServer
