package main

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkSlashCommand is the whole way of a request: from a client's write of
// a signed slash command over real HTTP, through everything that `bot serve`
// joins, to its acknowledgement, which goes out when the request and its audit
// line are synced to disk. Meanwhile the answers to those before are made, saved
// and sent. All figures are of one machine that carries client, program and the
// receiver of the answers.
//
// acks/s is how many were acknowledged in a second while they came; answers/s
// how many were answered, counted until the last answer is out.
//
// bolt-js is for scale: Slack's own Bolt for JavaScript, whose handler only
// acknowledges and which keeps nothing, driven by the same client. It needs
// KEEPWATCH_NODE; see startBolt.
func BenchmarkSlashCommand(b *testing.B) {
	b.Run("keepwatch", func(b *testing.B) { benchPlatform(b, "slack") })
	b.Run("bolt-js", func(b *testing.B) {
		addr := startBolt(b)
		benchClients(b, func(b *testing.B, clients int) {
			drive(b, addr, clients, 0, warm, slackCommand)
			b.ResetTimer()
			took := drive(b, addr, clients, warm, warm+b.N, slackCommand)
			b.StopTimer()
			reportLoad(b, took, b.Elapsed())
		})
	})
}

// BenchmarkInteraction is the same for a signed command of Discord, up to its
// deferral.
func BenchmarkInteraction(b *testing.B) { benchPlatform(b, "discord") }

// warm is how many commands go before those that are measured.
const warm = 1000

func benchClients(b *testing.B, run func(b *testing.B, clients int)) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { run(b, clients) })
	}
}

func benchPlatform(b *testing.B, platform string) {
	benchClients(b, func(b *testing.B, clients int) {
		l := load(b, platform)
		request := slackCommand
		if platform == "discord" {
			request = discordCommand(l.discord)
		}
		drive(b, l.addr, clients, 0, warm, request)
		l.await(b, warm)
		b.ReportAllocs()
		b.ResetTimer()
		took := drive(b, l.addr, clients, warm, warm+b.N, request)
		acknowledged := b.Elapsed()
		l.await(b, warm+b.N)
		b.StopTimer()
		l.audited(b, platform, 0, warm+b.N)
		reportLoad(b, took, acknowledged)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
	})
}

func reportLoad(b *testing.B, took []time.Duration, all time.Duration) {
	b.ReportMetric(float64(len(took))/all.Seconds(), "acks/s")
	b.ReportMetric(percentile(took, 50), "p50-ms")
	b.ReportMetric(percentile(took, 99), "p99-ms")
	b.ReportMetric(0, "ns/op") // says nothing where many come at once
}
