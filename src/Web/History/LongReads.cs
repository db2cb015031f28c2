namespace FailoverHub.Web.History;

/// <summary>
/// How many walks over the whole past go on at once: exports, and checks of the chain. Each keeps a processor and the disk busy for as long as it lasts, which is as
/// long as whoever asked for it takes to read: one for each person or token, and a few together.
/// </summary>
internal sealed class LongReads
{
    /// <summary>Together.</summary>
    public const int All = 4;

    /// <summary>When whoever was refused may ask again.</summary>
    public static readonly TimeSpan ComeAgainAfter = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly HashSet<string> _readers = new(StringComparer.Ordinal);

    /// <summary>Begins one; null: not now.</summary>
    /// <param name="reader">Name of the person or token.</param>
    /// <param name="why">Why not, in a sentence.</param>
    /// <returns>Disposed when the walk has ended.</returns>
    public IDisposable? TryBegin(string reader, out string why)
    {
        lock (_gate)
        {
            why = _readers.Contains(reader) ? "An export or a check of the chain that you asked for is still going on. One at a time for each person or token: wait for its end, or stop it."
                : _readers.Count >= All ? $"{All} exports or checks of the chain are going on, as many as the hub does at once. Try again in a few seconds."
                : "";
            return why.Length == 0 && _readers.Add(reader) ? new Place(this, reader) : null;
        }
    }

    private void End(string reader)
    {
        lock (_gate)
        {
            _readers.Remove(reader);
        }
    }

    private sealed class Place(LongReads reads, string reader) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                reads.End(reader);
            }
        }
    }
}
