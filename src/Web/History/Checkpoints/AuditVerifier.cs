using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>
/// Checks a chain and the checkpoints in it, oldest first, each checkpoint right after the entry that it signs. It says of each entry that does
/// not follow what is wrong with it, and then goes on from there, so that one change is one problem. Pure.
/// </summary>
/// <param name="trusted">Ids of the keys that may have signed; null: whichever did is told, and trusted.</param>
/// <param name="afterId">Entry that was checked before; 0: none.</param>
/// <param name="afterHash">Its hash; null: the chain begins.</param>
internal sealed class AuditVerifier(IReadOnlySet<string>? trusted = null, long afterId = 0, string? afterHash = null)
{
    /// <summary>Problems that are kept in words; further ones are only counted.</summary>
    public const int MostProblems = 100;

    private readonly ImmutableArray<AuditProblem>.Builder _problems = ImmutableArray.CreateBuilder<AuditProblem>();
    private readonly SortedSet<string> _keys = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, string> _earlier = [];
    private string _hash = afterHash ?? AuditChain.Root;
    private long _id = afterId;
    private long _problemCount;
    private long _entries;
    private long _checkpoints;
    private AuditCheckpoint? _last;
    private SignedHead? _remembered;
    private bool _sawRemembered;

    /// <summary>No checkpoint at all is no problem, though the keys are known: the hub itself knows whether it has made one.</summary>
    public bool MayBeUnsigned { get; init; }

    /// <summary>What an export that was made before has signed: it has to be in this chain too, or its end was cut off or written anew. Give all of them first.</summary>
    public void Expect(AuditCheckpoint earlier)
    {
        CheckSignature(earlier, "the earlier export");
        if (_earlier.TryGetValue(earlier.EntryId, out string? known) && known != earlier.EntryHash)
        {
            Problem(earlier.EntryId, "the earlier exports contradict each other about it");
        }

        _earlier[earlier.EntryId] = earlier.EntryHash;
    }

    /// <summary>The newest checkpoint that the hub itself remembers: it has to be there. Give it first.</summary>
    public void Remember(SignedHead head) => _remembered = head;

    public void Add(AuditEntity entry)
    {
        _entries++;
        if (entry.Id <= _id)
        {
            Problem(entry.Id, entry.Id == _id ? "stands there twice" : $"stands behind entry {_id}: entries were put in or put into another order");
        }
        else if (entry.Id > _id + 1)
        {
            Problem(entry.Id, $"does not follow: {Missing(_id + 1, entry.Id - 1)} before it");
        }
        else if (entry.PreviousHash != _hash)
        {
            Problem(entry.Id, _id == 0 ? "does not begin a chain: something was before it" : $"does not follow from entry {_id}: one of the two was put in or replaced");
        }

        if (entry.Hash != AuditChain.HashOf(entry))
        {
            Problem(entry.Id, "was changed after it was written: its fields do not give its hash");
        }

        if (_earlier.TryGetValue(entry.Id, out string? signed) && signed != entry.Hash)
        {
            Problem(entry.Id, "is not the entry that a checkpoint of the earlier export signed: the chain was written anew");
        }

        _id = entry.Id;
        _hash = entry.Hash;
    }

    public void Add(AuditCheckpoint checkpoint)
    {
        _checkpoints++;
        CheckSignature(checkpoint, "its checkpoint");
        if (checkpoint.EntryId > _id)
        {
            Problem(_id + 1, $"is not there: {Missing(_id + 1, checkpoint.EntryId)}, though a checkpoint of {At(checkpoint)} signed entry {checkpoint.EntryId}. The end of the chain was cut off, or entries were taken out");
        }
        else if (checkpoint.EntryId < _id)
        {
            Problem(checkpoint.EntryId, $"has its checkpoint of {At(checkpoint)} in the wrong place, behind entry {_id}");
        }
        else if (checkpoint.EntryHash != _hash)
        {
            Problem(checkpoint.EntryId, $"is not the entry that the checkpoint of {At(checkpoint)} signed: the chain was written anew");
        }

        _sawRemembered |= SignedHead.Of(checkpoint) == _remembered;
        _last = checkpoint;
    }

    /// <summary>Something else that is wrong with what is checked, at this entry.</summary>
    public void Problem(long entryId, string what)
    {
        _problemCount++;
        if (_problems.Count < MostProblems)
        {
            _problems.Add(new AuditProblem(entryId, string.Create(CultureInfo.InvariantCulture, $"Entry {entryId} {what}.")));
        }
    }

    /// <summary>Entries that were given.</summary>
    public long Entries => _entries;

    /// <summary>Checkpoints that were given.</summary>
    public long Checkpoints => _checkpoints;

    /// <summary>The entry that was given last; 0: none.</summary>
    public long LastId => _id;

    /// <summary>Its hash.</summary>
    public string LastHash => _hash;

    /// <summary>What came out, after the last entry.</summary>
    public AuditVerification Finish()
    {
        if (_earlier.Count > 0 && _earlier.Keys.Last() is var signed && signed > _id)
        {
            Problem(_id + 1, $"is not there: {Missing(_id + 1, signed)}, though the earlier export has them signed. The end of the chain was cut off");
        }

        if (_remembered is not null && !_sawRemembered)
        {
            Problem(_remembered.EntryId, SignedHead.Gone);
        }

        // Without this a chain written anew without any key is intact, for whoever only asks for the exit code.
        if (trusted is not null && _checkpoints == 0 && !MayBeUnsigned)
        {
            Problem(_id, "is the last one, and nothing up to it is signed by a key that was given: whoever wrote the file can have written all of it. Where the hub never signed yet, "
                + "`failoverhub audit checkpoint` signs, and a new export has the signature");
        }

        return new AuditVerification(_problemCount == 0, _entries, _problems.Count == 0 ? null : _problems[0].EntryId, _hash)
        {
            Problems = _problems.ToImmutableArray(),
            ProblemCount = _problemCount,
            Checkpoints = _checkpoints,
            LastCheckpoint = _last,
            KeyIds = _keys.ToImmutableArray(),
        };
    }

    private void CheckSignature(AuditCheckpoint checkpoint, string whose)
    {
        _keys.Add(checkpoint.KeyId);
        if (!CheckpointSignature.IsGood(checkpoint))
        {
            Problem(checkpoint.EntryId, $"has a bad signature in {whose}: {whose} was changed after it was signed");
        }
        else if (trusted?.Contains(checkpoint.KeyId) == false)
        {
            Problem(checkpoint.EntryId, $"is signed in {whose} by another key, {checkpoint.KeyId}");
        }
    }

    private static string At(AuditCheckpoint checkpoint) => checkpoint.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Missing(long first, long last) =>
        first == last ? $"entry {first} is missing" : $"entries {first} to {last} are missing";
}
