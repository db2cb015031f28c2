using System.Globalization;

namespace FailoverHub.Web.Api;

/// <summary>
/// Reads query parameters strictly: a filter that is misspelt would otherwise answer with everything, and look right.
/// Problems are collected; ask <see cref="Problems"/> after the last one.
/// </summary>
internal sealed class ApiQuery
{
    private readonly IQueryCollection _query;
    private readonly SortedDictionary<string, string> _problems = new(StringComparer.Ordinal);

    public ApiQuery(HttpContext context, params ReadOnlySpan<string> known)
    {
        _query = context.Request.Query;
        foreach (string name in _query.Keys)
        {
            if (!known.Contains(name))
            {
                _problems[name] = $"There is no such parameter; there are {string.Join(", ", known.ToArray())}.";
            }
            else if (_query[name].Count > 1)
            {
                _problems[name] = "It is given more than once.";
            }
        }
    }

    /// <summary>What is wrong, by parameter.</summary>
    public IReadOnlyDictionary<string, string> Problems => _problems;

    public bool Failed => _problems.Count > 0;

    public string? Text(string name) => _query.TryGetValue(name, out var value) && value[0] is { Length: > 0 } text ? text : null;

    public int Limit(int most, int otherwise)
    {
        if (Text("limit") is not { } text)
        {
            return otherwise;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) && limit >= 1 && limit <= most)
        {
            return limit;
        }

        _problems["limit"] = $"Write a number from 1 to {most}.";
        return otherwise;
    }

    public DateTimeOffset? Time(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time))
        {
            return time;
        }

        _problems[name] = "Write a time such as 2026-01-31T12:00:00Z.";
        return null;
    }

    public T? Word<T>(string name)
        where T : struct, Enum
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (ApiWords.TryParseKebab(text.ToLowerInvariant(), out T value))
        {
            return value;
        }

        _problems[name] = $"Write {ApiWords.Choices<T>()}.";
        return null;
    }

    /// <summary>The cursor was not one of ours.</summary>
    public void BadCursor() => _problems["cursor"] = "Give back the nextCursor of the page before, unchanged.";
}
