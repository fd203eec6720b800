package store

import "context"

// ForeseeVolumes notes what becomes of volumes (component/volume) when the
// deployment is destroyed, of those that nobody declared before: a rollout that
// fails later leaves them too.
func (s Queries) ForeseeVolumes(ctx context.Context, deploymentID string, onDestroy map[string]string) error {
	return s.noteVolumes(ctx, deploymentID, onDestroy, "DO NOTHING")
}

// NoteVolumes notes what becomes of the volumes of what serves.
func (s Queries) NoteVolumes(ctx context.Context, deploymentID string, onDestroy map[string]string) error {
	return s.noteVolumes(ctx, deploymentID, onDestroy, "DO UPDATE SET on_destroy = excluded.on_destroy")
}

func (s Queries) noteVolumes(ctx context.Context, deploymentID string, onDestroy map[string]string, known string) error {
	if len(onDestroy) == 0 {
		return nil
	}
	return s.run.write(ctx, func(q querier) error {
		for volume, becomes := range onDestroy {
			_, err := exec(ctx, q, "INSERT INTO volumes (deployment_id, volume, on_destroy) VALUES (?, ?, ?) ON CONFLICT (deployment_id, volume) "+known,
				deploymentID, volume, becomes)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ListVolumesByDeployment reads which of the deployment's volumes are noted to
// become that when it is destroyed, by name.
func (s Queries) ListVolumesByDeployment(ctx context.Context, deploymentID, onDestroy string) ([]string, error) {
	return all(ctx, s.run.read(), scanString, "SELECT volume FROM volumes WHERE deployment_id = ? AND on_destroy = ? ORDER BY volume", deploymentID, onDestroy)
}
