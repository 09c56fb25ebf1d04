// Package slacktest is a fake Slack for tests, which behaves as badly as the
// real one: it answers 429, loses answers after the work is done, kills sockets
// without a word, delivers twice, signs, lets trigger ids and response addresses
// run out, and refuses blocks that are over a documented limit.
//
// A [Server] listens on a loopback port. Its [Server.APIURL] ends in "/api/" and
// is what a client takes instead of https://slack.com/api/. What the app under
// test is sent goes by Socket Mode, or after [Server.UseHTTP] as signed POSTs;
// the people's side ([Server.Command], [Server.Click], [Server.Submit] …) is the
// same for both. What people see is read with [Server.Messages],
// [Server.Ephemerals], [Server.View], [Server.Home] and [Server.Files].
//
// Time comes from [Config.Clock]: rates, redelivery, trigger ids, response
// addresses and the 3 s in which an app must answer go by it. Only the pings of
// a socket go by the wall.
//
// Formats, limits and error names are from docs.slack.dev (methods, Socket Mode,
// "Verifying requests", Block Kit reference). What Slack does without saying so is
// marked where it is done, with the thread in which it was seen. The fake is itself
// checked against Slack's own clients; see the folder testdata/official.
package slacktest
