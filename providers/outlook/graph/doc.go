// Package graph is a client of Microsoft Graph v1.0 for mailboxes: plain net/http, tokens
// by azidentity, and what Microsoft asks of a client that reads whole mailboxes.
//
// Every call goes through Do: a lane per mailbox (4 calls in flight, 9,600 in any ten
// minutes), a lane of the application, a fence that stops all calls until Retry-After has
// passed, also over a restart where it is long (Fences), a bounded number of further tries, one new token on 401, and immutable ids on
// every request. Where a mailbox or the application has to wait, or a call by itself because
// Microsoft 365 does not answer, providers.Paused is told, so that the card of a run does not
// just stand still. JSON, Pages and Batch are built on it. What cannot be had is
// an *Error in the chain of a sentence for the person who can act.
//
// The generated SDK is not used: it takes minutes and gigabytes to compile, and its
// middleware knows none of the limits of a mailbox.
//
// Limits: learn.microsoft.com/graph/throttling-limits#outlook-service-limits. Ids:
// learn.microsoft.com/graph/outlook-immutable-id. Batches:
// learn.microsoft.com/graph/json-batching.
package graph
