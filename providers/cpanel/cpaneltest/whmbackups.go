package cpaneltest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

func backupDates(q *request) (any, error) {
	days := map[string]bool{}
	for _, a := range q.h.accounts {
		for _, m := range a.managed {
			days[m.day.Format(time.DateOnly)] = true
		}
	}
	return map[string]any{"backup_set": slices.Sorted(maps.Keys(days))}, nil
}

func backupSets(q *request) (any, error) {
	all := map[string]any{}
	for name, a := range q.h.accounts {
		sets := []any{}
		for _, m := range a.managed {
			sets = append(sets, map[string]any{"when": m.day.Format(time.DateOnly), "where": "local"})
		}
		if len(sets) > 0 {
			all[name] = sets
		}
	}
	return map[string]any{"backup_set": all, "destination_legend": map[string]any{"local": map[string]any{"name": "Local", "type": "Local"}}}, nil
}

func backupUsers(q *request) (any, error) {
	day, err := q.need("restore_point")
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, name := range slices.Sorted(maps.Keys(q.h.accounts)) {
		status := "no_backup"
		for _, m := range q.h.accounts[name].managed {
			if strings.HasPrefix(day, m.day.Format(time.DateOnly)) {
				status = "active"
			}
		}
		all = append(all, map[string]any{"username": name, "status": status})
	}
	return map[string]any{"user": all}, nil
}

// backupConfig is backup_config_get, with the defaults of the documents.
func backupConfig(*request) (any, error) {
	return map[string]any{"backup_config": map[string]any{
		"backupenable": 1, "backup_daily_enable": 1, "backup_daily_retention": 5, "backupdays": "0,2,4,6", "backup_weekly_enable": 0, "backup_weekly_day": 0, "backup_weekly_retention": 4,
		"backup_monthly_enable": 0, "backup_monthly_dates": "1", "backup_monthly_retention": 1, "backuptype": "compressed", "backupdir": "/backup", "check_min_free_space": 1,
		"maximum_timeout": 7200, "maximum_restore_timeout": 21600, "force_prune_daily": 0, "force_prune_weekly": 0, "force_prune_monthly": 0, "mysqlbackup": "accounts", "psqlbackup": 0,
	}}, nil
}
