package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"keepwatch/handlers/slack/slacktest"
)

// startBolt starts an app on Slack's Bolt for JavaScript, and gives its address.
// Its packages lie in the folder slack of $KEEPWATCH_NODE.
func startBolt(tb testing.TB) (addr string) {
	tb.Helper()
	packages := os.Getenv("KEEPWATCH_NODE")
	if packages == "" {
		tb.Skip("KEEPWATCH_NODE is not set: npm install @slack/bolt in a folder named slack, and set it to the folder above")
	}
	folder, err := filepath.Abs(filepath.Join(packages, "slack"))
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command("node", filepath.Join("testdata", "bolt.mjs"), folder, slacktest.SigningSecret)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Error(err)
		}
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatalf("Bolt did not start: %v", err)
	}
	return "127.0.0.1:" + strings.TrimSpace(port)
}
