using System.Text.Json.Serialization;

namespace FailoverHub.Agent.Platform;

/// <summary>An intent as it stands in <c>intent.json</c>.</summary>
internal sealed record StoredIntent(ulong Revision, bool Drained, IReadOnlyList<StoredPrefixIntent?> Prefixes, string? OperationId, string? Reason, bool? LiftLocalDrain);

internal sealed record StoredPrefixIntent(string Prefix, string Role, string? Failback, double? StableSeconds, bool? AtOnce);

/// <summary>What was ordered on the node itself, as it stands in <c>orders.json</c>.</summary>
internal sealed record StoredOrders(StoredDrain? Drain, IReadOnlyList<StoredRoleOrder?> Roles, ulong? RolesLostAfter);

internal sealed record StoredDrain(string? Actor, string? Reason, DateTimeOffset At, ulong AfterRevision);

internal sealed record StoredRoleOrder(string? Prefix, string? Role, string? Actor, string? Reason, DateTimeOffset At, ulong AfterRevision, bool? DespiteLostIntent);

/// <summary>The prefixes that could once be primary here, as they stand in <c>failback.json</c>.</summary>
internal sealed record StoredFailback(IReadOnlyList<string?> Prefixes);

/// <summary>The router id as it stands in <c>router-id.json</c>, with whose it is: a copied disk must not copy the id.</summary>
internal sealed record StoredRouterId(string RouterId, string Owner);

/// <summary>The addresses that the agent has put on an interface, as they stand in <c>addresses.json</c>.</summary>
internal sealed record StoredOwnAddresses(string Place, string Device, IReadOnlyList<string?>? Addresses);

/// <summary>A line of the journal.</summary>
internal sealed record StoredJournalEntry(
    [property: JsonRequired] ulong Seq,
    [property: JsonRequired] long At,
    [property: JsonRequired] string Kind,
    string? Prefix,
    string? Neighbor,
    string? Text,
    string? Operation,
    string? Actor = null);

// Source-generated: reflection would not survive publishing as native code.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredIntent))]
[JsonSerializable(typeof(StoredOrders))]
[JsonSerializable(typeof(StoredFailback))]
[JsonSerializable(typeof(StoredRouterId))]
[JsonSerializable(typeof(StoredOwnAddresses))]
[JsonSerializable(typeof(StoredJournalEntry))]
[JsonSerializable(typeof(Dictionary<string, ulong>))]
internal sealed partial class StoredJson : JsonSerializerContext;
