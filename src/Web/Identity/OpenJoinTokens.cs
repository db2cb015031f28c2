using System.Collections.Immutable;

namespace FailoverHub.Web.Identity;

/// <summary>
/// Which join tokens are good, by their hash and in memory: so a token can be looked at that comes from an address which has sent too many wrong ones, and one machine
/// that guesses keeps none behind the same address from joining. A guess costs one SHA-256 of a random token and no look at the database, which is asked once a second at most.
/// </summary>
internal sealed class OpenJoinTokens(JoinTokens tokens, TimeProvider time) : IDisposable
{
    /// <summary>So old may be what is known of tokens that another process has made; of those of this one it is known at once.</summary>
    public static readonly TimeSpan ReadEvery = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _gate = new(1);
    private Known _known = new([], 0, null);

    /// <summary>Whether this is a good one, for whatever name; taking it decides again.</summary>
    /// <exception cref="System.Data.Common.DbException">The database cannot be read.</exception>
    public async Task<bool> ContainsAsync(JoinToken token, CancellationToken cancellationToken)
    {
        if (IsOld(Volatile.Read(ref _known)))
        {
            await _gate.WaitAsync(cancellationToken);
            try
            {
                if (IsOld(_known))
                {
                    // Taken before they are read: one that is made meanwhile is read the next time.
                    var (made, at) = (tokens.Made, time.GetTimestamp());
                    Volatile.Write(ref _known, new Known(await tokens.GoodHashesAsync(cancellationToken), made, at));
                }
            }
            finally
            {
                _gate.Release();
            }
        }

        return Volatile.Read(ref _known).Hashes.Contains(token.Hash);
    }

    public void Dispose() => _gate.Dispose();

    private bool IsOld(Known known) => known.At is not { } at || known.Made != tokens.Made || time.GetElapsedTime(at) >= ReadEvery;

    private sealed record Known(ImmutableHashSet<string> Hashes, int Made, long? At);
}
