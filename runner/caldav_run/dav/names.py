"""The XML names that CalDAV speaks, in Clark notation."""

from typing import Final

DAV: Final = "DAV:"
CALDAV: Final = "urn:ietf:params:xml:ns:caldav"
APPLE: Final = "http://apple.com/ns/ical/"
CALENDARSERVER: Final = "http://calendarserver.org/ns/"
NEXTCLOUD: Final = "http://nextcloud.com/ns"
SABRE: Final = "http://sabredav.org/ns"
OWNCLOUD: Final = "http://owncloud.org/ns"

# What a request writes before its names; an answer may use any prefixes it likes.
PREFIXES: Final = {
    "d": DAV,
    "c": CALDAV,
    "a": APPLE,
    "cs": CALENDARSERVER,
    "nc": NEXTCLOUD,
    "oc": OWNCLOUD,
}

RESPONSE: Final = f"{{{DAV}}}response"
HREF: Final = f"{{{DAV}}}href"
STATUS: Final = f"{{{DAV}}}status"
PROPSTAT: Final = f"{{{DAV}}}propstat"
PROP: Final = f"{{{DAV}}}prop"
MULTISTATUS: Final = f"{{{DAV}}}multistatus"
RESPONSE_DESCRIPTION: Final = f"{{{DAV}}}responsedescription"
ERROR: Final = f"{{{DAV}}}error"
SABRE_MESSAGE: Final = f"{{{SABRE}}}message"

RESOURCETYPE: Final = f"{{{DAV}}}resourcetype"
COLLECTION: Final = f"{{{DAV}}}collection"
DISPLAYNAME: Final = f"{{{DAV}}}displayname"
GETETAG: Final = f"{{{DAV}}}getetag"
GETLASTMODIFIED: Final = f"{{{DAV}}}getlastmodified"
GETCONTENTTYPE: Final = f"{{{DAV}}}getcontenttype"
GETCONTENTLENGTH: Final = f"{{{DAV}}}getcontentlength"
SYNC_TOKEN: Final = f"{{{DAV}}}sync-token"
OWNER: Final = f"{{{DAV}}}owner"
PRINCIPAL: Final = f"{{{DAV}}}principal"
CURRENT_USER_PRINCIPAL: Final = f"{{{DAV}}}current-user-principal"
UNAUTHENTICATED: Final = f"{{{DAV}}}unauthenticated"
PRIVILEGES: Final = f"{{{DAV}}}current-user-privilege-set"
PRIVILEGE: Final = f"{{{DAV}}}privilege"

CALENDAR: Final = f"{{{CALDAV}}}calendar"
CALENDAR_DATA: Final = f"{{{CALDAV}}}calendar-data"
CALENDAR_USER_ADDRESS_SET: Final = f"{{{CALDAV}}}calendar-user-address-set"
CALENDAR_HOME_SET: Final = f"{{{CALDAV}}}calendar-home-set"
COMPONENT_SET: Final = f"{{{CALDAV}}}supported-calendar-component-set"
MAX_RESOURCE_SIZE: Final = f"{{{CALDAV}}}max-resource-size"
COMP: Final = f"{{{CALDAV}}}comp"
DESCRIPTION: Final = f"{{{CALDAV}}}calendar-description"
TIMEZONE: Final = f"{{{CALDAV}}}calendar-timezone"
AVAILABILITY: Final = f"{{{CALDAV}}}calendar-availability"
SCHEDULE_INBOX: Final = f"{{{CALDAV}}}schedule-inbox"
SCHEDULE_OUTBOX: Final = f"{{{CALDAV}}}schedule-outbox"

COLOR: Final = f"{{{APPLE}}}calendar-color"
ORDER: Final = f"{{{APPLE}}}calendar-order"
CALENDAR_URI: Final = f"{{{NEXTCLOUD}}}calendar-uri"
DELETED_CALENDAR: Final = f"{{{NEXTCLOUD}}}deleted-calendar"
GETCTAG: Final = f"{{{CALENDARSERVER}}}getctag"
CS_INVITE: Final = f"{{{CALENDARSERVER}}}invite"
CS_USER: Final = f"{{{CALENDARSERVER}}}user"
CS_ACCESS: Final = f"{{{CALENDARSERVER}}}access"
OC_INVITE: Final = f"{{{OWNCLOUD}}}invite"
OC_USER: Final = f"{{{OWNCLOUD}}}user"
OC_ACCESS: Final = f"{{{OWNCLOUD}}}access"
DAV_INVITE: Final = f"{{{DAV}}}invite"
DAV_SHAREE: Final = f"{{{DAV}}}sharee"
SHARE_ACCESS: Final = f"{{{DAV}}}share-access"
SUBSCRIBED: Final = f"{{{CALENDARSERVER}}}subscribed"
SOURCE: Final = f"{{{CALENDARSERVER}}}source"
PROXY_READ_FOR: Final = f"{{{CALENDARSERVER}}}calendar-proxy-read-for"
PROXY_WRITE_FOR: Final = f"{{{CALENDARSERVER}}}calendar-proxy-write-for"
SUPPORTED_REPORTS: Final = f"{{{DAV}}}supported-report-set"
REPORT: Final = f"{{{DAV}}}report"
