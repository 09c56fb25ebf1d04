// Package discord is the front-end for Discord.
//
// A transport brings what people do and takes the acknowledgement back:
// [Gateway], the websocket connection that is always there, and [Web], signed
// HTTP requests for slash commands, clicks and forms where a public key is
// configured. Both hand what they decoded to one [Conversation], which knows no
// transport: it makes a request of it, has it saved, and says what Discord is told.
// Answers come back through the outbox to [Frontend.Post].
//
// Of discordgo v0.29.0 the types, the JSON and the REST calls are used. Its
// gateway client and its rate limiter are not: what is wrong with them, and with
// other parts of it, is named where it is dealt with:
//
//   - Open and Close hang on a silent gateway: deadlines in session.go
//   - close codes are ignored when reconnecting: the table in closecode.go
//   - every fault closes with 1000, and a dead connection is noticed after 206 s: session.go
//   - after op 9 it identifies on the same socket: session.go
//   - it resumes at the general address, and READY lacks resume_gateway_url: gateway.go
//   - its rate limiter grows for ever and ignores contexts: rest.go
//   - it sleeps on 429 and repeats a 502 unasked: rest.go
//   - Close sleeps while holding its lock, handlers have no recover: gateway.go
//   - messages lack enforce_nonce: payload.go; forms lack Label: modal.go
//   - its verification of signatures reads bodies of any size: web.go
//
// Facts about Discord are from its documentation, docs.discord.com/developers;
// comments name the page.
package discord
