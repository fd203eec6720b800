package provider

import (
	"bytes"
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipwayhq/terraform-provider-slipway/resources/version"
)

// shortcut answers the reading, the refresh and the plan of an unchanged slipway_version
// without the framework, which walks every attribute of every component several
// times only to find that nothing changes. There are many versions, and few
// change. Whatever is not plainly unchanged goes to the framework.
type shortcut struct {
	tfprotov6.ProviderServer
	provider *Provider

	once  sync.Once
	typ   tftypes.Type // of slipway_version
	level int64        // of its schema
}

// PlanResourceChange implements tfprotov6.ProviderServer.
func (s *shortcut) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	if s.unchanged(ctx, req) {
		return &tfprotov6.PlanResourceChangeResponse{PlannedState: req.PriorState, PlannedPrivate: req.PriorPrivate}, nil
	}
	return s.ProviderServer.PlanResourceChange(ctx, req)
}

// ReadResource implements tfprotov6.ProviderServer.
func (s *shortcut) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	if s.upToDate(ctx, req) {
		return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private}, nil
	}
	return s.ProviderServer.ReadResource(ctx, req)
}

// UpgradeResourceState implements tfprotov6.ProviderServer. A state of today's
// schema is only read and written again; the framework puts the type of the
// whole schema together each time.
func (s *shortcut) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	if state := s.sameSchema(ctx, req); state != nil {
		return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: state}, nil
	}
	return s.ProviderServer.UpgradeResourceState(ctx, req)
}

// sameSchema answers a state that needs no upgrade as Terraform wants it, nil
// where the framework has more to do or to say. Attributes that are no more are
// dropped, as the framework does.
func (s *shortcut) sameSchema(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) *tfprotov6.DynamicValue {
	typ := s.versionType(ctx)
	if req.TypeName != version.TypeName || typ == nil || req.RawState == nil || req.Version != s.level {
		return nil
	}
	ignored := tfprotov6.UnmarshalOpts{ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true}}
	state, err := req.RawState.UnmarshalWithOpts(typ, ignored)
	if err != nil {
		return nil
	}
	packed, err := tfprotov6.NewDynamicValue(typ, state)
	if err != nil {
		return nil
	}
	return &packed
}

// upToDate reports whether the engine, the very one that the object lives in,
// says what the state says.
func (s *shortcut) upToDate(ctx context.Context, req *tfprotov6.ReadResourceRequest) bool {
	configured := s.provider.session.Load()
	if req.TypeName != version.TypeName || configured == nil || req.CurrentState == nil || !configured.Owns(req.Private) {
		return false
	}
	typ := s.versionType(ctx)
	if typ == nil {
		return false
	}
	state, err := req.CurrentState.Unmarshal(typ)
	return err == nil && version.UpToDate(ctx, configured.Engine, state)
}

// unchanged reports whether Terraform proposes exactly the prior state, and the
// defaults of what is left out of the configuration do not differ from it.
func (s *shortcut) unchanged(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) bool {
	if req.TypeName != version.TypeName || req.PriorState == nil || req.ProposedNewState == nil || req.Config == nil ||
		len(req.PriorState.MsgPack) == 0 || !bytes.Equal(req.PriorState.MsgPack, req.ProposedNewState.MsgPack) {
		return false
	}
	typ := s.versionType(ctx)
	if typ == nil {
		return false
	}
	state, err := req.PriorState.Unmarshal(typ)
	if err != nil || state.IsNull() {
		return false
	}
	config, err := req.Config.Unmarshal(typ)
	return err == nil && version.KeepsDefaults(config, state)
}

// versionType is nil when the schema cannot be had; the framework then says why.
func (s *shortcut) versionType(ctx context.Context) tftypes.Type {
	s.once.Do(func() {
		resp, err := s.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
		if err == nil && resp.ResourceSchemas[version.TypeName] != nil {
			s.typ, s.level = resp.ResourceSchemas[version.TypeName].ValueType(), resp.ResourceSchemas[version.TypeName].Version
		}
	})
	return s.typ
}
