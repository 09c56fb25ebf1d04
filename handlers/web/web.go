// Package web is what the bot says over HTTP about itself: whether it lives
// (/healthz), whether it can do its work (/readyz), and figures for Prometheus
// (/metrics).
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"keepwatch"
)

// Config is what a Server needs.
type Config struct {
	Ready    func() error                        // nil: ready; else the sentence that says what to fix
	Open     func() ([]keepwatch.Run, error)     // runs that are not over
	Archives func() ([]keepwatch.Archive, error) // all of them
	Mounts   map[string]http.Handler             // what else is answered, by path
	Version  string
	Log      *slog.Logger // nil: silent
}

// Server answers on one address.
type Server struct {
	cfg      Config
	http     *http.Server
	runs     *prometheus.CounterVec
	duration *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
}

// New makes a server. It does not listen yet.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		cfg:      cfg,
		runs:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keepwatch_runs_total", Help: "Runs that ended or need attention, by kind and state."}, []string{"kind", "state"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "keepwatch_run_duration_seconds", Help: "How long runs took that were done.", Buckets: prometheus.ExponentialBuckets(0.1, 4, 10)}, []string{"kind"}),
		bytes:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keepwatch_run_bytes_total", Help: "Bytes of content that done runs read or restored."}, []string{"kind"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "keepwatch_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": cfg.Version}})
	build.Set(1)
	registry := prometheus.NewRegistry() // our own: nothing is global
	registry.MustRegister(s.runs, s.duration, s.bytes, build, newFacts(cfg), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	for path, h := range cfg.Mounts {
		mux.Handle(path, h)
	}
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10}
	return s
}

// ready answers 200 where the bot can do its work, and 503 with the sentence
// that says what to fix where it cannot.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.cfg.Ready(); err != nil {
		text := keepwatch.Sentence(err)
		if text == "" {
			text = "Something is wrong inside; the log says what."
			s.cfg.Log.Error("the bot is not ready", "err", err)
		}
		http.Error(w, text, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// Handler gives what answers, for tests.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// Listen opens the address, such as 127.0.0.1:8080, and answers on it until
// Close. It gives the address that it got, for port 0.
func (s *Server) Listen(addr string) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "Nothing can listen on %s (%v). Change BOT_LISTEN, or stop what uses it.", addr, err).Because(err)
	}
	go func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Error("the HTTP server stopped", "err", err)
		}
	}()
	return l.Addr(), nil
}

// Close finishes the requests under way and stops.
func (s *Server) Close(ctx context.Context) error { return s.http.Shutdown(ctx) }

// Observe counts a run when it is settled. It is called after each saved change
// of a run.
func (s *Server) Observe(run keepwatch.Run) {
	if !run.State.Settled() {
		return
	}
	kind := string(run.Kind)
	s.runs.WithLabelValues(kind, string(run.State)).Inc()
	if run.State == keepwatch.RunDone {
		s.duration.WithLabelValues(kind).Observe(max(0, run.Ended.Sub(run.Started).Seconds()))
		s.bytes.WithLabelValues(kind).Add(float64(run.Result.Bytes))
	}
}

// facts are figures that are read from the state when they are asked for.
type facts struct {
	cfg                 Config
	open, newest, count *prometheus.Desc
}

func newFacts(cfg Config) facts {
	return facts{
		cfg:    cfg,
		open:   prometheus.NewDesc("keepwatch_runs_open", "Runs that are not over, by state.", []string{"state"}, nil),
		newest: prometheus.NewDesc("keepwatch_archive_newest_verified_timestamp_seconds", "Start of the newest verified archive of a source.", []string{"source"}, nil),
		count:  prometheus.NewDesc("keepwatch_archives", "Archives of a source.", []string{"source"}, nil),
	}
}

// Describe satisfies prometheus.Collector.
func (f facts) Describe(ch chan<- *prometheus.Desc) { ch <- f.open; ch <- f.newest; ch <- f.count }

// Collect satisfies prometheus.Collector. What cannot be read is reported as an
// invalid metric, so that the scrape fails rather than lies.
func (f facts) Collect(ch chan<- prometheus.Metric) {
	open, err := f.cfg.Open()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(f.open, err)
		return
	}
	states := map[keepwatch.RunState]int{keepwatch.RunQueued: 0, keepwatch.RunRunning: 0, keepwatch.RunAttention: 0}
	for _, r := range open {
		states[r.State]++
	}
	for state, n := range states {
		ch <- prometheus.MustNewConstMetric(f.open, prometheus.GaugeValue, float64(n), string(state))
	}
	archives, err := f.cfg.Archives()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(f.newest, err)
		return
	}
	newest, count := map[string]time.Time{}, map[string]int{}
	for _, a := range archives {
		count[a.Source]++
		if a.IsVerified() && a.AsOf().After(newest[a.Source]) {
			newest[a.Source] = a.AsOf()
		}
	}
	for source, n := range count {
		ch <- prometheus.MustNewConstMetric(f.count, prometheus.GaugeValue, float64(n), source)
	}
	for source, t := range newest {
		ch <- prometheus.MustNewConstMetric(f.newest, prometheus.GaugeValue, float64(t.Unix()), source)
	}
}
