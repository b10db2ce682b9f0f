/** Types of the API for the modules of the pages, generated from our OpenAPI document by tools/pages.py. */
import type { components } from "api";

type Schemas = components["schemas"];
export type Transcript = Schemas["GetTranscriptWithParticipants"];
export type Run = Schemas["RunView"];
export type Step = Schemas["StepView"];
export type Topic = Schemas["GetTranscriptTopic"];
export type Word = Schemas["RecognisedWord"];
export type Participant = Schemas["Participant"];
export type Tag = Schemas["Tag"];
export type SummaryTemplate = Schemas["SummaryTemplate"];
export type ProcessingOptions = Schemas["ProcessingOptions"];
export type ProcessingOptionsView = Schemas["ProcessingOptionsView"];
export type Work = Schemas["WorkView"];
export type Note = Schemas["Note"];
export type ShareLink = Schemas["ShareLink"];
export type SharedPerson = Schemas["SharedPerson"];
export type Shares = Schemas["Shares"];
export type Webhook = Schemas["Webhook"];
export type WebhookDelivery = Schemas["WebhookDelivery"];
export type Room = Schemas["RoomDetails"];
export type SearchResult = Schemas["SearchResult"];
