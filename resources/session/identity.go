package session

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
)

// privateKey is where an object's private state keeps its origin.
const privateKey = "engine"

// origin says which engine an object lives in.
type origin struct {
	Engine    string `json:"engine"`
	Confirmed bool   `json:"confirmed,omitempty"` // Service.Confirm has been called
}

// Getter reads private state.
type Getter interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

// Setter writes private state.
type Setter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// Recognise reports whether the object whose private state this is may be
// asked for: it lives in this engine, or it does not say where it lives (it was
// just imported). Another engine is an error, never a deleted object: an empty
// data directory must not look like "everything was deleted".
func (s *Session) Recognise(ctx context.Context, private Getter, diags *diag.Diagnostics) bool {
	o := s.origin(ctx, private, diags)
	if o.Engine != "" && o.Engine != s.Engine.EngineID() {
		diags.AddError(fwdiag.DifferentEngine,
			"This object lives in the engine "+o.Engine+", but the provider has opened the engine "+s.Engine.EngineID()+".\n\n"+
				"The data directory was removed, replaced or is another one than before. Nothing was changed or forgotten. "+
				"Point data_dir (or SLIPWAY_DATA_DIR) at the directory it was applied with, or restore that directory from a backup. "+
				"If it is lost for good, remove the objects from the state (state rm) and apply again.")
	}
	return !diags.HasError()
}

// Owns reports whether raw private state, as Terraform keeps it, says that the
// object lives in this engine and is confirmed.
func (s *Session) Owns(private []byte) bool {
	var keys map[string][]byte // JSON has the values in base64
	var o origin
	if json.Unmarshal(private, &keys) != nil || json.Unmarshal(keys[privateKey], &o) != nil {
		return false
	}
	return o.Confirmed && o.Engine == s.Engine.EngineID()
}

// Remember notes in private state which engine the object lives in.
func (s *Session) Remember(ctx context.Context, private Setter, diags *diag.Diagnostics) {
	s.save(ctx, private, origin{Engine: s.Engine.EngineID()}, diags)
}

// Confirm tells the engine, once per object, that Terraform has the object in
// its state, so that nobody else's create adopts it.
func (s *Session) Confirm(ctx context.Context, kind engine.Kind, id string, before Getter, after Setter, diags *diag.Diagnostics) {
	if s.origin(ctx, before, diags).Confirmed {
		return
	}
	if err := s.Engine.Confirm(ctx, kind, id); err != nil {
		diags.Append(fwdiag.From(fwdiag.Op{Verb: "Read", Noun: string(kind), ID: id}, err)...)
		return
	}
	s.save(ctx, after, origin{Engine: s.Engine.EngineID(), Confirmed: true}, diags)
}

func (s *Session) origin(ctx context.Context, private Getter, diags *diag.Diagnostics) (o origin) {
	raw, found := private.GetKey(ctx, privateKey)
	diags.Append(found...)
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &o); err != nil {
			diags.AddError("Unreadable private state", "The state's note of where this object lives is damaged: "+err.Error()+".\n\nRestore the state from a backup.")
		}
	}
	return o
}

func (s *Session) save(ctx context.Context, private Setter, o origin, diags *diag.Diagnostics) {
	raw, err := json.Marshal(o)
	if err != nil {
		diags.AddError("Unwritable private state", err.Error())
		return
	}
	diags.Append(private.SetKey(ctx, privateKey, raw)...)
}
