using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Operations.Records;

/// <summary>What <see cref="OperationFilter"/> means to the database.</summary>
internal static class OperationSearch
{
    /// <summary>The rows that <see cref="OperationFilter.Has"/> has.</summary>
    public static IQueryable<OperationEntity> Where(this IQueryable<OperationEntity> query, OperationFilter filter)
    {
        var (pair, type, statuses, actor) = (filter.PairId, filter.Type, filter.Statuses.ToArray(), filter.Actor is { } name ? LikeText(name) : null);
        query = pair is null ? query : query.Where(o => o.PairId == pair);
        query = type is null ? query : query.Where(o => o.Type == type);
        query = statuses.Length == 0 ? query : query.Where(o => statuses.Contains(o.Status));
        query = actor is null ? query : query.Where(o => EF.Functions.Like(o.Actor, actor, LikeEscape));
        return filter.Words.Select(word => $"%{LikeText(word)}%").Aggregate(query, (q, word) =>
            q.Where(o => EF.Functions.Like(o.Title, word, LikeEscape) || EF.Functions.Like(o.Reason, word, LikeEscape) || EF.Functions.Like(o.Outcome, word, LikeEscape)));
    }

    private const string LikeEscape = "\\";

    private static string LikeText(string text) => text.Replace(LikeEscape, @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal);
}
