package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/vault"
)

// BenchmarkHosting is how fast a full backup comes home from a fake host on loopback,
// over TLS, in bytes of the archive. All figures are of one run on one machine, whose
// cores carry the host as well:
//
//   - curl, curl+tee, gunzip, sha256sum: what people do by hand, and each stage alone.
//     The aim is to take no longer than the slowest of curl, gunzip and sha256sum;
//   - prove: our download, which hashes and proves on the way and stores nothing;
//   - fetch: the step of a run, which encrypts into the vault on disk as well;
//   - bot: the whole program with its first start, which afterwards reads the archive
//     back, decrypts and compares it. peak-MiB is the most memory that the system gave
//     it (VmHWM), and cpu-s its processor time.
//
// The files lie in TMPDIR: set it to a tmpfs to measure the programs and not the disk.
func BenchmarkHosting(b *testing.B) {
	for _, kind := range []string{"mixed", "dumps", "stored"} {
		b.Run(kind, func(b *testing.B) {
			h := benchHost(b, kind)
			h.peers(b)
			b.Run("prove", func(b *testing.B) {
				h.each(b, func(ctx context.Context) error { return h.fetch(ctx, &hashing{sum: sha256.New()}) })
			})
			b.Run("fetch", func(b *testing.B) {
				h.each(b, func(ctx context.Context) error { return h.store(ctx, b.TempDir()) })
			})
			b.Run("bot", h.program)
		})
	}
}

// each measures what brings the archive home.
func (h *benchedHost) each(b *testing.B, home func(ctx context.Context) error) {
	b.SetBytes(h.size)
	for b.Loop() {
		if err := home(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// peers measures the programs that people use.
func (h *benchedHost) peers(b *testing.B) {
	to := filepath.Join(b.TempDir(), "download")
	curl := fmt.Sprintf("curl -sfk -H 'Authorization: cpanel ruthin:%s' '%s/download?skipencode=1&file=/home/ruthin/%s'", h.account.Token(), h.host.URL(), h.name)
	for _, peer := range []struct{ name, needs, script string }{
		{"curl", "curl", curl + " -o /dev/null"},
		{"curl+tee", "curl", curl + " | tee " + to + " | sha256sum"},
		{"curl+tee,gunzip", "curl", curl + " | tee " + to + " | sha256sum && gunzip -t < " + to},
		{"gunzip", "gunzip", "gunzip -t < " + h.file},
		{"sha256sum", "sha256sum", "sha256sum " + h.file},
	} {
		b.Run(peer.name, func(b *testing.B) {
			if _, err := exec.LookPath(peer.needs); err != nil {
				b.Skipf("needs %s", peer.needs)
			}
			h.each(b, func(ctx context.Context) error {
				out, err := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-ec", peer.script).CombinedOutput()
				if err != nil {
					return fmt.Errorf("%s: %w: %s", peer.name, err, out)
				}
				return nil
			})
		})
	}
	if err := os.RemoveAll(to); err != nil {
		b.Fatal(err)
	}
}

// fetch is the step of the provider.
func (h *benchedHost) fetch(ctx context.Context, sink providers.Sink) error {
	return h.provider.Fetch(ctx, providers.Job{
		Source: keepwatch.Source{Name: "ruthin-web", Kind: keepwatch.KindCPanel, Hosting: &keepwatch.Hosting{
			URL: h.host.URL(), User: "ruthin", Token: keepwatch.NewSecret(h.account.Token()), Fingerprint: h.host.Fingerprint(),
		}},
		Held: h.name, Report: func(keepwatch.Progress) {}, Found: func(keepwatch.Inside) {},
	}, sink)
}

// store is the step "fetch" with the vault.
func (h *benchedHost) store(ctx context.Context, dir string) error {
	v, err := vault.Open(vault.Config{Dir: dir, Recipients: []string{benchRecipient}})
	if err != nil {
		return err
	}
	w, err := v.Begin(keepwatch.Run{ID: 1, Source: "ruthin-web", Started: time.Now()})
	if err != nil {
		return err
	}
	if err := h.fetch(ctx, w); err != nil {
		return err
	}
	if _, err := w.Close(); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// mostMemory is how much the program may take for a backup of any size, in MiB.
const mostMemory = 64

// benchRecipient is somebody else's key: nothing here is opened again.
const benchRecipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

// program measures all of `bot -c '/backup fetch …'`, in a process of its own.
func (h *benchedHost) program(b *testing.B) {
	exe, err := exec.LookPath("bot")
	if err != nil {
		b.Fatal(err)
	}
	var most, cpu float64
	h.each(b, func(ctx context.Context) error {
		b.StopTimer()
		root := b.TempDir()
		if err := os.WriteFile(filepath.Join(root, "keepwatch.yaml"), []byte(h.yaml()), 0o600); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, exe, "-c", "/backup fetch ruthin-web "+h.name, "--data-dir", "data")
		cmd.Dir, cmd.Env = root, append(os.Environ(), "NO_COLOR=1", "TZ=UTC", "HOME="+root, "KEEPWATCH_TEST_PEAK="+filepath.Join(root, "peak"))
		b.StartTimer()
		out, err := cmd.CombinedOutput()
		b.StopTimer()
		defer b.StartTimer()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		peak, err := peakOf(filepath.Join(root, "peak"))
		most, cpu = max(most, peak), cpu+(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()).Seconds()
		if err != nil {
			return err
		}
		return os.RemoveAll(root)
	})
	if most > mostMemory {
		b.Errorf("%.1f MiB of memory, of %d", most, mostMemory)
	}
	b.ReportMetric(most, "peak-MiB")
	b.ReportMetric(cpu/float64(b.N), "cpu-s")
}

func (h *benchedHost) yaml() string {
	return fmt.Sprintf("sources:\n  - {name: ruthin-web, kind: cpanel, url: %q, user: ruthin, token: %q, fingerprint: %q}\n", h.host.URL(), h.account.Token(), h.host.Fingerprint())
}

// peakOf reads what writePeak has written, in MiB; 0 where the system does not say it.
func peakOf(file string) (float64, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	_, text, found := bytes.Cut(data, []byte("VmHWM:"))
	if !found {
		return 0, nil
	}
	kib, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	return kib / 1024, err
}

// writePeak writes what the system says of this process into a file; it says how much
// memory it gave at the most only while the process lives, and on Linux only.
func writePeak(file string) {
	status, _ := os.ReadFile("/proc/self/status") // nothing: another system
	if file != "" {
		_ = os.WriteFile(file, status, 0o600) // who reads it fails
	}
}

// hashing is a sink that stores nothing.
type hashing struct{ sum hash.Hash }

func (s *hashing) Add(_ keepwatch.Entry, content io.Reader) error {
	return s.Single(keepwatch.Entry{}, content)
}
func (s *hashing) Top(keepwatch.Entry) error { return nil }
func (s *hashing) Note(keepwatch.Note) error { return nil }

func (s *hashing) Single(_ keepwatch.Entry, content io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{s.sum}, struct{ io.Reader }{content}, make([]byte, 256<<10))
	return err
}
