namespace FailoverHub.Web.Components.Live;

/// <summary>
/// What the parts of one page cannot read from the database at this moment. Each part keeps what it read before and tries again; the page says so once
/// for all of them (<see cref="ReadNote"/>). Used on the dispatcher of one circuit only.
/// </summary>
public sealed class ReadFaults
{
    private readonly Dictionary<(object Part, Delegate Read), ReadFault> _standing = [];

    /// <summary>The one whose content is the oldest; null: everything that was wanted could be read. What was never read is the oldest.</summary>
    public ReadFault? Oldest => _standing.Values.MinBy(fault => fault.ReadAt ?? DateTimeOffset.MinValue);

    /// <summary>A part could not be read.</summary>
    internal void Keep(object part, Delegate read, ReadFault fault) => _standing[(part, read)] = fault;

    /// <summary>It was read again.</summary>
    internal void Drop(object part, Delegate read) => _standing.Remove((part, read));

    /// <summary>The part is not shown any more.</summary>
    internal void DropAll(object part)
    {
        foreach ((object Part, Delegate Read) key in _standing.Keys.Where(key => ReferenceEquals(key.Part, part)).ToList())
        {
            _standing.Remove(key);
        }
    }
}

/// <summary>A reading that failed.</summary>
/// <param name="ReadAt">When the same was last read: what is shown is as of then. Null: it never was.</param>
/// <param name="Why">What the database said.</param>
public sealed record ReadFault(DateTimeOffset? ReadAt, string Why);
