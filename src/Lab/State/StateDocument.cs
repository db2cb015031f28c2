using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace FailoverHub.Lab.State;

/// <summary>The state file, for people and tests: what the route servers know and where each shared address goes.</summary>
internal sealed record StateDocument(DateTimeOffset UpdatedAt, ImmutableArray<AddressDocument> Addresses, ImmutableArray<RouteServerDocument> RouteServers);

/// <summary>A shared prefix that has been announced since the start; <paramref name="Holder"/> null: it goes nowhere.</summary>
internal sealed record AddressDocument(string Prefix, string? Holder, string? HolderAddress, DateTimeOffset Since);

internal sealed record RouteServerDocument(string Address, ImmutableArray<SessionDocument> Sessions);

internal sealed record SessionDocument(string? Node, string Address, string State, DateTimeOffset Since, string Reason, ImmutableArray<RouteDocument> Routes);

internal sealed record RouteDocument(string Prefix, string Role, string Origin, int AsPathLength, string NextHop, DateTimeOffset ReceivedAt, bool Best);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(StateDocument))]
internal sealed partial class StateJson : JsonSerializerContext;
