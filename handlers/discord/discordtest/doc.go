// Package discordtest is a Discord for tests that behaves as badly as the
// vendor's: it forgets, limits, refuses, cuts connections, and does work whose
// answer is then lost.
//
// A [Server] holds one application with its bot, one guild with a channel, and
// whatever else a test adds. The bot's side is REST under /api/v9 and /api/v10, the
// gateway websocket, and signed interactions by HTTP. The people's side are the
// methods of Server: [Server.Command], [Server.Click], [Server.Mention] and so on act
// as a person would, and [Server.Messages], [Server.Ephemerals] and [Server.Modal] tell
// what that person sees. Waiting is by [Server.Wait], which looks again whenever
// something has changed, never by a sleep.
//
// Time is the wall clock or a [Clock] that the test moves; it decides deadlines,
// limits and the age of tokens. Heartbeats alone follow the wall clock.
//
// Facts are from the vendor's documentation at https://discord.com/developers/docs;
// the shapes are compared with its published vocabulary by [Spec], and the
// behaviour with discord.js, by the tests of this package.
package discordtest
