# by the team's name
terraform import slipway_team.acme acme
