using System.Collections.Immutable;
using System.Text.Json.Serialization;
using FailoverHub.Agent.Platform.Journaling;

namespace FailoverHub.Agent.Platform;

/// <summary>An intent as it stands in <c>intent.json</c>.</summary>
internal sealed record StoredIntent(ulong Revision, bool Drained, IReadOnlyList<StoredPrefixIntent?> Prefixes, string? OperationId, string? Reason, bool? LiftLocalDrain, IReadOnlyList<StoredPlacedEntry?>? Entries = null);

internal sealed record StoredPrefixIntent(string Prefix, string Role, string? Failback, double? StableSeconds, bool? AtOnce);

/// <summary>What was ordered on the node itself, as it stands in <c>orders.json</c>.</summary>
internal sealed record StoredOrders(StoredDrain? Drain, IReadOnlyList<StoredRoleOrder?> Roles, ulong? RolesLostAfter, IReadOnlyList<StoredPlacedEntry?>? Entries = null);

/// <summary>An entry of the journal that is kept with what it is about.</summary>
internal sealed record StoredPlacedEntry(string? Boot, ulong Seq, long At, string? Kind, string? Text, string? Operation, string? Actor)
{
    public static IReadOnlyList<StoredPlacedEntry> Of(IEnumerable<PlacedEntry> entries) => [.. entries.Select(placed => new StoredPlacedEntry(
        placed.Place.BootId,
        placed.Place.Sequence,
        placed.Entry.At.ToUnixTimeMilliseconds(),
        placed.Entry.Kind,
        placed.Entry.Text,
        NullIfEmpty(placed.Entry.OperationId),
        NullIfEmpty(placed.Entry.Actor)))];

    /// <summary>What of them makes sense: no order is in doubt because of its entry.</summary>
    public static ImmutableArray<PlacedEntry> Parse(IReadOnlyList<StoredPlacedEntry?>? stored) =>
    [
        .. from entry in stored ?? []
           where entry is { Seq: > 0, Kind: not null, Text: not null, At: >= 0 and <= LastUnixMs } && IsBootId(entry.Boot)
           select new PlacedEntry(
               new JournalPlace(entry.Boot!, entry.Seq),
               new JournalEntry(DateTimeOffset.FromUnixTimeMilliseconds(entry.At), entry.Kind!, "", "", entry.Text!, entry.Operation ?? "") { Actor = entry.Actor ?? "" }),
    ];

    // 9999-12-31
    private const long LastUnixMs = 253_402_300_799_999;

    // It becomes part of a file's name.
    private static bool IsBootId(string? text) => text is { Length: 32 } && text.All(char.IsAsciiHexDigitLower);

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}

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
    string? Actor = null)
{
    /// <summary>There are as many entries as these, with consecutive numbers; the text of each is its prefix and what stands in <see cref="Text"/>. Null: one entry.</summary>
    public IReadOnlyList<string?>? Prefixes { get; init; }
}

// Source-generated: reflection would not survive publishing as native code.
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredIntent))]
[JsonSerializable(typeof(StoredOrders))]
[JsonSerializable(typeof(StoredFailback))]
[JsonSerializable(typeof(StoredRouterId))]
[JsonSerializable(typeof(StoredOwnAddresses))]
[JsonSerializable(typeof(StoredJournalEntry))]
[JsonSerializable(typeof(Dictionary<string, ulong>))]
internal sealed partial class StoredJson : JsonSerializerContext;
