"""Public ids as path and body values: read into uuids, written as TypeIDs."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.errors import NotFound
from shared.ids import Prefix, parse_typeid, typeid


@dataclass(frozen=True, slots=True)
class _TypeId:
    """`names`: the id is the address itself, so one that is malformed is NotFound rather than invalid."""

    prefix: Prefix
    names: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: typeid(self.prefix, value), return_schema=core_schema.str_schema()
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        pattern = f"^{self.prefix.value}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"
        return {"type": "string", "pattern": pattern, "examples": [f"{self.prefix.value}_01h2xcejqtf2nbrexx3vqjhp41"]}

    def _read(self, value: object) -> UUID:
        if isinstance(value, UUID):
            return value
        try:
            return parse_typeid(self.prefix, value if isinstance(value, str) else "")
        except NotFound as error:
            if self.names:
                raise
            raise PydanticCustomError("unknown_id", "{message}", {"message": error.message}) from None


# In an address: 404 where malformed.
BrandId = Annotated[UUID, _TypeId(Prefix.BRAND, names=True)]
ChannelPath = Annotated[UUID, _TypeId(Prefix.CHANNEL, names=True)]
ConsentPath = Annotated[UUID, _TypeId(Prefix.CONSENT, names=True)]
MentionPath = Annotated[UUID, _TypeId(Prefix.MENTION, names=True)]
ThreadPath = Annotated[UUID, _TypeId(Prefix.THREAD, names=True)]
IdentityPath = Annotated[UUID, _TypeId(Prefix.IDENTITY, names=True)]
ArrivalPath = Annotated[UUID, _TypeId(Prefix.ARRIVAL, names=True)]
MediaPath = Annotated[UUID, _TypeId(Prefix.MEDIA, names=True)]
PostPath = Annotated[UUID, _TypeId(Prefix.POST, names=True)]
SlotPath = Annotated[UUID, _TypeId(Prefix.SLOT, names=True)]
RecurrencePath = Annotated[UUID, _TypeId(Prefix.RECURRENCE, names=True)]
BlackoutPath = Annotated[UUID, _TypeId(Prefix.BLACKOUT, names=True)]
FeedPath = Annotated[UUID, _TypeId(Prefix.CALENDAR_FEED, names=True)]
QueryPath = Annotated[UUID, _TypeId(Prefix.QUERY, names=True)]
CampaignPath = Annotated[UUID, _TypeId(Prefix.CAMPAIGN, names=True)]
AlertRulePath = Annotated[UUID, _TypeId(Prefix.ALERT_RULE, names=True)]
ViewPath = Annotated[UUID, _TypeId(Prefix.VIEW, names=True)]
AlertPath = Annotated[UUID, _TypeId(Prefix.ALERT, names=True)]
OutgoingPath = Annotated[UUID, _TypeId(Prefix.OUTGOING, names=True)]
ApprovalLinkPath = Annotated[UUID, _TypeId(Prefix.APPROVAL_LINK, names=True)]
OperationPath = Annotated[UUID, _TypeId(Prefix.OPERATION, names=True)]
NotificationPath = Annotated[UUID, _TypeId(Prefix.NOTIFICATION, names=True)]
EndpointPath = Annotated[UUID, _TypeId(Prefix.WEBHOOK_ENDPOINT, names=True)]
DeliveryPath = Annotated[UUID, _TypeId(Prefix.WEBHOOK_DELIVERY, names=True)]

# In a body, a filter or an answer: 422 where malformed.
OrganizationRef = Annotated[UUID, _TypeId(Prefix.ORGANIZATION)]
UserRef = Annotated[UUID, _TypeId(Prefix.USER)]
KeyRef = Annotated[UUID, _TypeId(Prefix.API_KEY)]
BrandRef = Annotated[UUID, _TypeId(Prefix.BRAND)]
ChannelRef = Annotated[UUID, _TypeId(Prefix.CHANNEL)]
ConsentRef = Annotated[UUID, _TypeId(Prefix.CONSENT)]
HookRef = Annotated[UUID, _TypeId(Prefix.HOOK)]
MentionRef = Annotated[UUID, _TypeId(Prefix.MENTION)]
CorrectionRef = Annotated[UUID, _TypeId(Prefix.CORRECTION)]
ThreadRef = Annotated[UUID, _TypeId(Prefix.THREAD)]
IdentityRef = Annotated[UUID, _TypeId(Prefix.IDENTITY)]
ArrivalRef = Annotated[UUID, _TypeId(Prefix.ARRIVAL)]
MediaRef = Annotated[UUID, _TypeId(Prefix.MEDIA)]
PostRef = Annotated[UUID, _TypeId(Prefix.POST)]
VariantRef = Annotated[UUID, _TypeId(Prefix.VARIANT)]
SlotRef = Annotated[UUID, _TypeId(Prefix.SLOT)]
RecurrenceRef = Annotated[UUID, _TypeId(Prefix.RECURRENCE)]
BlackoutRef = Annotated[UUID, _TypeId(Prefix.BLACKOUT)]
FeedRef = Annotated[UUID, _TypeId(Prefix.CALENDAR_FEED)]
QueryRef = Annotated[UUID, _TypeId(Prefix.QUERY)]
CampaignRef = Annotated[UUID, _TypeId(Prefix.CAMPAIGN)]
AlertRuleRef = Annotated[UUID, _TypeId(Prefix.ALERT_RULE)]
ViewRef = Annotated[UUID, _TypeId(Prefix.VIEW)]
AlertRef = Annotated[UUID, _TypeId(Prefix.ALERT)]
OutgoingRef = Annotated[UUID, _TypeId(Prefix.OUTGOING)]
ApprovalRef = Annotated[UUID, _TypeId(Prefix.APPROVAL)]
ApprovalLinkRef = Annotated[UUID, _TypeId(Prefix.APPROVAL_LINK)]
HoldRef = Annotated[UUID, _TypeId(Prefix.HOLD)]
AttemptRef = Annotated[UUID, _TypeId(Prefix.ATTEMPT)]
OperationRef = Annotated[UUID, _TypeId(Prefix.OPERATION)]
NotificationRef = Annotated[UUID, _TypeId(Prefix.NOTIFICATION)]
EndpointRef = Annotated[UUID, _TypeId(Prefix.WEBHOOK_ENDPOINT)]
DeliveryRef = Annotated[UUID, _TypeId(Prefix.WEBHOOK_DELIVERY)]
