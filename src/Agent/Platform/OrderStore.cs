using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Platform.Journaling;

namespace FailoverHub.Agent.Platform;

/// <summary>What was ordered on the node itself, on disk. What cannot be kept is not obeyed.</summary>
/// <param name="path">Of the file.</param>
/// <param name="warn">Takes a sentence for the log.</param>
internal sealed class OrderStore(string path, Action<string> warn)
{
    private byte[]? _damaged;

    /// <summary>The entries of the journal that the file had when it was loaded, oldest first.</summary>
    public ImmutableArray<PlacedEntry> Entries { get; private set; } = [];

    /// <summary>The kept orders; null and what is wrong with the file when they cannot be read.</summary>
    /// <remarks>A file that cannot be used stays where it is until <see cref="ReplaceDamaged"/> or the next order replaces it: the next start has to know of it as well.</remarks>
    public (LocalOrders? Orders, string? Problem) Load()
    {
        try
        {
            // Most nodes have none: asking costs less than an exception. What cannot be asked for is read, which says why.
            if (DrainMark.Stands(path) == false)
            {
                return (LocalOrders.None, null);
            }

            _damaged = File.ReadAllBytes(path);
            var stored = JsonSerializer.Deserialize(_damaged, StoredJson.Default.StoredOrders);
            Entries = StoredPlacedEntry.Parse(stored?.Entries);
            if (Parse(stored) is { } orders)
            {
                _damaged = null;
                return (orders, null);
            }

            return (null, $"{path} is damaged");
        }
        catch (JsonException)
        {
            return (null, $"{path} is damaged");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, $"{path} cannot be read ({exception.Message.TrimEnd('.')})");
        }
    }

    /// <summary>
    /// Keeps what has to be presumed, in place of a file that <see cref="Load"/> found damaged: since when something is lost is known at the first such start only, and
    /// would be taken for later at each further one. One that could not be read may be whole, and stays.
    /// </summary>
    /// <returns>Where the damaged one is now; null: it was not replaced.</returns>
    public string? ReplaceDamaged(LocalOrders presumed)
    {
        if (_damaged is not { } content)
        {
            return null;
        }

        _damaged = null;
        try
        {
            var aside = path + ".damaged";
            AtomicFile.Write(aside, content);
            return TrySave(presumed, Entries) is null ? aside : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Null: they are on the disk, with the entries of the commands that made them. Else why not, and the file is as it was.</summary>
    public string? TrySave(LocalOrders orders, IEnumerable<PlacedEntry> entries)
    {
        var drain = orders.Drain is { } drained ? new StoredDrain(drained.Actor, drained.Reason, drained.At, drained.AfterRevision) : null;
        var roles = orders.Roles
            .OrderBy(entry => entry.Key, Comparer<IPNetwork>.Create(SharedPrefix.Compare))
            .Select(entry => new StoredRoleOrder(entry.Key.ToString(), entry.Value.Role.Word(), entry.Value.Actor, entry.Value.Reason, entry.Value.At, entry.Value.AfterRevision, entry.Value.DespiteLostIntent ? true : null));
        try
        {
            var stored = new StoredOrders(drain, [.. roles], orders.RolesLostAfter, StoredPlacedEntry.Of(entries));
            if (AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(stored, StoredJson.Default.StoredOrders)) is { } doubt)
            {
                warn($"the local orders are kept, but a power cut may bring back those before: {doubt}");
            }

            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"it could not be kept on the node's disk: {exception.Message}";
        }
    }

    private static LocalOrders? Parse(StoredOrders? stored)
    {
        if (stored is not { Roles: not null } || stored.Drain is { Actor: null })
        {
            return null;
        }

        var roles = ImmutableDictionary.CreateBuilder<IPNetwork, RoleOrder>();
        foreach (var entry in stored.Roles)
        {
            if (entry?.Actor is null || !SharedPrefix.TryParse(entry.Prefix ?? "", out var prefix, out _) || !RoleWords.TryParse(entry.Role, out var role))
            {
                return null;
            }

            roles[prefix] = new RoleOrder(role, entry.Actor, entry.Reason ?? "", entry.At, entry.AfterRevision, entry.DespiteLostIntent ?? false);
        }

        return new LocalOrders
        {
            Drain = stored.Drain is { } drain ? new LocalDrain(drain.Actor!, drain.Reason ?? "", drain.At, drain.AfterRevision) : null,
            Roles = roles.ToImmutable(),
            RolesLostAfter = stored.RolesLostAfter,
        };
    }
}
