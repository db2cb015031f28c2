using System.Collections.Immutable;
using System.Text.Json;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Platform.Journaling;

namespace FailoverHub.Agent.Platform;

/// <summary>
/// The last accepted intent on disk. What was accepted outlives the process and the power; what cannot be kept is not accepted.
/// </summary>
/// <param name="path">Of the file.</param>
/// <param name="warn">Takes a sentence for the log.</param>
internal sealed class IntentStore(string path, Action<string> warn)
{
    private string Consequence => $"what the node was last told is lost, so everything is announced at most as secondary until the hub speaks, or {path} is removed and the agent started again";

    /// <summary>The entry of the journal that the file had when it was loaded; empty: none.</summary>
    public ImmutableArray<PlacedEntry> Entries { get; private set; } = [];

    /// <summary>The kept intent, null when there is none; with what is wrong with the file when it cannot be read.</summary>
    /// <remarks>
    /// A file that cannot be used stays where it is until an intent of the hub replaces it or somebody removes it: it says that somebody
    /// wanted something of this node which is not known any more, and the next start has to know that as well.
    /// </remarks>
    public (NodeIntent? Intent, string? Problem) Load()
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, $"the stored intent cannot be read ({exception.Message}): {Consequence}");
        }

        var parsed = Parse(content, out var entries);
        Entries = entries;
        return parsed is { } intent ? (intent, null) : (null, $"the stored intent is damaged: {Consequence}");
    }

    /// <summary>Null: it is on the disk, with the entry that says so. Else why not, and the file is as it was.</summary>
    public string? TrySave(NodeIntent intent, PlacedEntry? accepted)
    {
        var stored = new StoredIntent(
            intent.Revision,
            intent.Drained,
            [.. intent.Prefixes.Select(entry => new StoredPrefixIntent(
                entry.Prefix.ToString(), entry.Role.Word(), entry.FailbackPolicy?.Word(), entry.StableFor?.TotalSeconds, entry.AtOnce ? true : null))],
            intent.OperationId,
            intent.Reason,
            intent.LiftLocalDrain ? true : null,
            accepted is null ? null : StoredPlacedEntry.Of([accepted]));
        try
        {
            if (AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(stored, StoredJson.Default.StoredIntent)) is { } doubt)
            {
                warn($"{intent.Describe()} is kept, but a power cut may bring back the one before: {doubt}");
            }

            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"it could not be kept on the node's disk: {exception.Message}";
        }
    }

    private static NodeIntent? Parse(byte[] content, out ImmutableArray<PlacedEntry> entries)
    {
        StoredIntent? stored;
        entries = [];
        try
        {
            stored = JsonSerializer.Deserialize(content, StoredJson.Default.StoredIntent);
        }
        catch (JsonException)
        {
            return null;
        }

        if (stored is not { Revision: > 0, Prefixes: not null })
        {
            return null;
        }

        entries = StoredPlacedEntry.Parse(stored.Entries);
        var prefixes = ImmutableArray.CreateBuilder<PrefixIntent>(stored.Prefixes.Count);
        foreach (var entry in stored.Prefixes)
        {
            if (entry is null || !SharedPrefix.TryParse(entry.Prefix ?? "", out var prefix, out _) || !RoleWords.TryParse(entry.Role, out var role))
            {
                return null;
            }

            FailbackPolicy? policy = FailbackPolicyWords.TryParse(entry.Failback, out var known) ? known : null;
            if (entry.Failback is not null && policy is null)
            {
                return null;
            }

            if (entry.StableSeconds is { } seconds && !(seconds > 0 && seconds <= FailbackOptions.LongestStable.TotalSeconds))
            {
                return null;
            }

            prefixes.Add(new PrefixIntent(prefix, role)
            {
                FailbackPolicy = policy,
                StableFor = entry.StableSeconds is { } stable ? TimeSpan.FromSeconds(stable) : null,
                AtOnce = entry.AtOnce ?? false,
            });
        }

        return new NodeIntent
        {
            Revision = stored.Revision,
            Drained = stored.Drained,
            Prefixes = prefixes.ToImmutable(),
            OperationId = stored.OperationId ?? "",
            Reason = stored.Reason ?? "",
            LiftLocalDrain = stored.LiftLocalDrain ?? false,
        };
    }
}
