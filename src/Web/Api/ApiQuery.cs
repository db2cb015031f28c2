using System.Globalization;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Api;

/// <summary>
/// Reads query parameters strictly: a filter that is misspelt would otherwise answer with everything, and look right.
/// Problems are collected; ask <see cref="Problems"/> after the last one.
/// </summary>
internal sealed class ApiQuery
{
    private readonly IQueryCollection _query;
    private readonly SortedDictionary<string, string> _problems = new(StringComparer.Ordinal);

    /// <summary>Takes the parameters that the call is described with.</summary>
    public ApiQuery(HttpContext context)
        : this(context, context.GetEndpoint()?.Metadata.GetMetadata<QueryParameters>()?.Names ?? [])
    {
    }

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

    /// <summary>One of some words.</summary>
    public string? Choice(string name, params ReadOnlySpan<string> words)
    {
        if (Text(name) is { } text && !words.Contains(text))
        {
            _problems[name] = $"Write one of {string.Join(", ", words.ToArray())}.";
            return null;
        }

        return Text(name);
    }

    /// <summary>A state by its name, in any case.</summary>
    public T? State<T>(string name)
        where T : struct, Enum
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        foreach (T value in Enum.GetValues<T>())
        {
            if (string.Equals(ApiWords.State(value), text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        _problems[name] = $"Write one of {string.Join(", ", Enum.GetNames<T>())}.";
        return null;
    }

    /// <summary>Words to look for: each costs a look at every row, so there may not be many.</summary>
    public string? Search(string name)
    {
        if (Text(name) is { } text && (text.Length > HistoryFilter.MaxText || HistoryFilter.WordsOf(text).Length > HistoryFilter.MaxWords))
        {
            _problems[name] = $"Write at most {HistoryFilter.MaxWords} words and {HistoryFilter.MaxText} characters.";
            return null;
        }

        return Text(name);
    }

    /// <summary>The cursor was not one of ours.</summary>
    public void BadCursor() => _problems["cursor"] = "Give back the nextCursor of the page before, unchanged.";
}
