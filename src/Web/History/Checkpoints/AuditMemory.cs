using System.Collections.Immutable;
using System.Text.Json;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>A checkpoint that this hub knows to have made, told by what it signs: its number in the table means nothing.</summary>
/// <param name="EntryId">The entry that it signed.</param>
/// <param name="EntryHash">That one's hash.</param>
/// <param name="KeyId">The key that it was signed with.</param>
internal sealed record SignedHead(long EntryId, string EntryHash, string KeyId)
{
    /// <summary>What is wrong with the entry, when that checkpoint is not in the database.</summary>
    public static string Gone { get; } = "was signed by this hub, and that checkpoint is not in the database any more: the audit was written anew or cut off, or the database was put back from an older copy. "
        + $"If that was done on purpose, stop the hub, move '{AuditMemory.FileName}' out of its data folder and start it again: it then goes on from what is there, and says so in its history";

    public static SignedHead Of(AuditCheckpoint checkpoint) => new(checkpoint.EntryId, checkpoint.EntryHash, checkpoint.KeyId);
}

/// <summary>What the hub remembers of its signatures.</summary>
/// <param name="Keys">Ids of the keys that it has signed with, oldest first: the one that it has, and those that were replaced on purpose.</param>
/// <param name="Last">Its newest checkpoint; null: it has made none.</param>
internal sealed record RememberedSignatures(ImmutableArray<string> Keys, SignedHead? Last);

/// <summary>
/// Which signatures of the audit are the hub's own, kept beside the database: in memory, and in a file of the data folder (0600, replaced as a whole). Whoever has the
/// database alone can compute the chain anew, and throw the checkpoints away or sign others with a key of his; here the hub still knows better, and does not put its own
/// signature under that. It follows the database, never the other way: what it names was committed before. A command beside the running hub writes the same file.
/// </summary>
internal sealed partial class AuditMemory
{
    /// <summary>Its file in the data folder.</summary>
    public const string FileName = "audit-signed.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { RespectNullableAnnotations = true };

    private readonly Lock _gate = new();
    private readonly string? _folder;
    private readonly ILogger? _logger;
    private RememberedSignatures? _known;
    private bool _failing;

    private AuditMemory(string? folder, ILogger? logger, RememberedSignatures? known) => (_folder, _logger, _known) = (folder, logger, known);

    /// <summary>One that ends with the process, where there is no data folder.</summary>
    public static AuditMemory OfThisProcess() => new(null, null, null);

    /// <exception cref="DataFolderException">The file is damaged, or cannot be read.</exception>
    public static AuditMemory Open(string folder, ILogger logger)
    {
        try
        {
            return new AuditMemory(folder, logger, Read(folder));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new DataFolderException(
                $"'{Path.Combine(folder, FileName)}', by which the hub knows its own signatures of the audit, cannot be read or is damaged ({e.Message}). Give the hub's user access to it, or put it "
                + "back from a backup. If there is none, move the file away: the hub then takes the signatures that are in the database for its own, and says so in its history.",
                e);
        }
    }

    /// <summary>What is known now, also by what a command has signed meanwhile; null: nothing yet.</summary>
    public RememberedSignatures? Current
    {
        get
        {
            lock (_gate)
            {
                return _known = Newest(_known, ReadAgain());
            }
        }
    }

    /// <summary>Checks the whole chain of this hub's database, by what it knows now: take it before the chain is read.</summary>
    public AuditVerifier Verifier()
    {
        var known = Current;
        var verifier = new AuditVerifier(known?.Keys.ToHashSet(StringComparer.Ordinal)) { MayBeUnsigned = true };
        if (known?.Last is { } last)
        {
            verifier.Remember(last);
        }

        return verifier;
    }

    /// <summary>These keys are the hub's own too, and that is its newest checkpoint; older than what it knows: it stays as it is.</summary>
    public RememberedSignatures Remember(IEnumerable<string> keys, SignedHead? last)
    {
        lock (_gate)
        {
            var stored = ReadAgain();
            _known = Newest(Newest(_known, stored), new RememberedSignatures([.. keys], last))!;
            if (stored is null || !stored.Keys.SequenceEqual(_known.Keys) || stored.Last != _known.Last)
            {
                Write(_known);
            }

            return _known;
        }
    }

    private static RememberedSignatures? Newest(RememberedSignatures? one, RememberedSignatures? other) => (one, other) switch
    {
        (null, _) => other,
        (_, null) => one,
        _ => new RememberedSignatures([.. one.Keys.Union(other.Keys, StringComparer.Ordinal)], (one.Last?.EntryId ?? 0) > (other.Last?.EntryId ?? 0) ? one.Last : other.Last),
    };

    private static RememberedSignatures? Read(string folder)
    {
        if (!OwnFile.Exists(folder, FileName))
        {
            return null;
        }

        var content = JsonSerializer.Deserialize<Content>(OwnFile.ReadPrivateText(folder, FileName), Json) ?? throw new JsonException("it is empty");
        return new RememberedSignatures([.. content.Keys], content.Last);
    }

    // What this process knows is not less for a file that somebody has spoiled since.
    private RememberedSignatures? ReadAgain()
    {
        try
        {
            return _folder is null ? null : Read(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or DataFolderException)
        {
            Failing(e);
            return null;
        }
    }

    // Written beside it and then moved into place: nobody reads half of it. What cannot be written now is with the next signature; until then the process knows it.
    private void Write(RememberedSignatures known)
    {
        if (_folder is null)
        {
            return;
        }

        string beside = $"{FileName}.{Path.GetRandomFileName()}.new";
        try
        {
            using (FileStream stream = OwnFile.CreateNew(_folder, beside))
            {
                JsonSerializer.Serialize(stream, new Content { Keys = [.. known.Keys], Last = known.Last }, Json);
                stream.Flush(flushToDisk: true);
            }

            File.Move(Path.Combine(_folder, beside), Path.Combine(_folder, FileName), overwrite: true);
            _failing = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DataFolderException)
        {
            Failing(e);
        }
    }

    private void Failing(Exception e)
    {
        if (!_failing && _logger is not null)
        {
            LogFailing(_logger, FileName, e);
        }

        _failing = true;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "'{File}', by which the hub knows its own signatures of the audit after a restart, cannot be read or written; until then it knows them itself")]
    private static partial void LogFailing(ILogger logger, string file, Exception exception);

    private sealed record Content
    {
        public required string[] Keys { get; init; }

        public SignedHead? Last { get; init; }
    }
}
