using System.Collections.Concurrent;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Access.Tokens;

/// <summary>
/// When tokens were last used. It is for people, so the minute is enough, and it is written behind the request: whoever reads by a token
/// does not wait for the database's one writer.
/// </summary>
internal sealed class TokenUses(HubWriter writer, TimeProvider time)
{
    private static readonly TimeSpan Grain = TimeSpan.FromMinutes(1);

    // Bounded by the number of tokens that exist: only what was found in the database gets in.
    private readonly ConcurrentDictionary<string, long> _lastNoted = new();

    /// <summary>A token that is good was used now; never waits.</summary>
    public void Note(string name)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (now - _lastNoted.GetValueOrDefault(name) >= (long)Grain.TotalMilliseconds)
        {
            _lastNoted[name] = now;
            writer.Enqueue(new Use(name, now));
        }
    }

    private sealed class Use(string name, long at) : HubWrite
    {
        public override string Key => $"token-use:{name}";

        public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken) =>
            db.ApiTokens.Where(t => t.Name == name && t.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(t => t.LastUsedAtMs, at), cancellationToken);
    }
}
