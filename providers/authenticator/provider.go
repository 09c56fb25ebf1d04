package authenticator

import (
	"context"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// Provider hands the dossier to the ordinary backup, so that it is sealed, verified,
// copied and kept as every archive is. It serves the one source of kind
// keepwatch.KindDossier.
type Provider struct{ keeper *Keeper }

// NewProvider makes one.
func NewProvider(k *Keeper) Provider { return Provider{k} }

// file is one of the files of the dossier.
type file struct{ name, text string }

// files writes the dossier as it is now.
func (p Provider) files(job providers.Job) ([]file, time.Time, error) {
	if job.Source.Name != keepwatch.DossierSource || job.Source.Kind != keepwatch.KindDossier {
		return nil, time.Time{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is one dossier, and its source is named %s.", keepwatch.DossierSource)
	}
	if len(job.Parts) > 0 {
		return nil, time.Time{}, keepwatch.Errorf(keepwatch.KindInvalid, "The dossier has no parts. Leave out %s.", strings.Join(job.Parts, ", "))
	}
	d, err := p.keeper.document()
	if err != nil {
		return nil, d.at, err
	}
	data, err := d.json()
	if err != nil {
		return nil, d.at, err
	}
	zone := p.keeper.cfg.Location
	devices := "# Phones that hold Microsoft Authenticator\n\nNo phone is known.\n"
	if len(d.devices) > 0 {
		devices = "# Phones that hold Microsoft Authenticator\n\n" + d.table(zone)
	}
	return []file{{"devices.md", devices}, {"dossier.json", string(data)}, {"dossier.md", d.markdown(zone)}}, d.at, nil
}

// Plan says how much there is.
func (p Provider) Plan(ctx context.Context, job providers.Job) (keepwatch.Plan, error) {
	if err := context.Cause(ctx); err != nil {
		return keepwatch.Plan{}, err
	}
	files, _, err := p.files(job)
	plan := keepwatch.Plan{Items: int64(len(files))}
	for _, f := range files {
		plan.Bytes += int64(len(f.text))
	}
	return plan, err
}

// Fetch writes the files into the sink.
func (p Provider) Fetch(ctx context.Context, job providers.Job, sink providers.Sink) error {
	files, at, err := p.files(job)
	if err != nil {
		return err
	}
	var done keepwatch.Progress
	for _, f := range files {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		e := keepwatch.Entry{Path: f.name, Type: keepwatch.EntryFile, Size: int64(len(f.text)), Mode: 0o600, ModTime: at.UTC()}
		if err := sink.Add(e, strings.NewReader(f.text)); err != nil {
			return err
		}
		done.Items, done.Bytes = done.Items+1, done.Bytes+e.Size
		job.Report(done)
	}
	return nil
}
