using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Freezes;

namespace FailoverHub.Web.Api.Operations;

/// <summary>Turns the body of a request into one that cannot be malformed, or names every field that is wrong.</summary>
internal static partial class OperationBodyReader
{
    public const int MaximumBytes = 64 * 1024;

    /// <summary>Reads and checks. What depends on the fleet (does the node exist, do the rules agree) is not decided here.</summary>
    public static async Task<Read> ReadAsync(HttpContext context, string? pair, string? node)
    {
        if (!context.Request.HasJsonContentType())
        {
            return Read.Problem(StatusCodes.Status415UnsupportedMediaType, "$", "Send the request as application/json.");
        }

        OperationBody? body;
        try
        {
            body = await JsonSerializer.DeserializeAsync<OperationBody>(context.Request.Body, ApiJson.Bodies, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            string field = FieldOf(exception);
            return Read.Problem(StatusCodes.Status400BadRequest, field, field == "$"
                ? "The body is not one JSON object."
                : $"There is no field '{field}' here, or its value has the wrong type.");
        }
        catch (BadHttpRequestException exception)
        {
            return Read.Problem(exception.StatusCode, "$", exception.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? $"The body is larger than {MaximumBytes} bytes."
                : "The body ended before it was complete.");
        }

        return body is null
            ? Read.Problem(StatusCodes.Status400BadRequest, "$", "The body is null; send a JSON object.")
            : Check(body, pair, node).Expecting(context.Request.Headers.IfMatch);
    }

    /// <summary>Pure: body and path in, request or problems out.</summary>
    public static Read Check(OperationBody body, string? pair, string? node)
    {
        var problems = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);

        OperationType type = default;
        if (body.Type is null)
        {
            problems["type"] = $"Say what to do: {ApiWords.Choices<OperationType>()}.";
        }
        else if (!ApiWords.TryParseKebab(body.Type, out type))
        {
            problems["type"] = $"'{body.Type}' is not {ApiWords.Choices<OperationType>()}.";
        }
        else if (type.IsOfPair() && pair is null)
        {
            problems["type"] = type == OperationType.Switchover
                ? "A switchover is about a pair: POST /api/v1/pairs/{pair}/operations, with this node as target."
                : $"A {body.Type} is about a pair: POST /api/v1/pairs/{{pair}}/operations.";
        }
        else if (!type.IsOfPair() && node is null && body.Target is null)
        {
            problems["target"] = $"Name the node to {body.Type}, or POST /api/v1/nodes/{{node}}/operations.";
        }

        if (node is not null && body.Target is not null)
        {
            problems["target"] = $"The path already names the node '{node}'; leave the target out.";
        }

        if (pair == FreezeFacts.All && !type.IsOfFreeze() && type != OperationType.BulkDrain && !problems.ContainsKey("type"))
        {
            problems["type"] = $"Only freeze, unfreeze and bulk-drain are about more than one pair: POST /api/v1/pairs/{{pair}}/operations to {body.Type} one.";
        }

        if (type == OperationType.BulkDrain && pair is not FreezeFacts.All && !problems.ContainsKey("type"))
        {
            problems["type"] = "A bulk drain is about a data center: POST /api/v1/operations.";
        }

        if (body.DataCenter is { } dataCenter && (dataCenter.Length is 0 or > 9 || !dataCenter.All(char.IsAsciiDigit)))
        {
            problems["dataCenter"] = "Write decimal digits.";
        }

        if (body.Neighbor is { Length: 0 or > 100 })
        {
            problems["neighbor"] = "Write the neighbor as the node reports it.";
        }

        if (body.ExpiresInSeconds is { } expires && (expires < (long)FreezeTarget.Shortest.TotalSeconds || expires > (long)FreezeTarget.Longest.TotalSeconds))
        {
            problems["expiresInSeconds"] = $"Write {FreezeTarget.Shortest.TotalSeconds:0} to {FreezeTarget.Longest.TotalSeconds:0} seconds.";
        }

        if (body.Reason?.Any(char.IsControl) == true)
        {
            problems["reason"] = "Write one line of text, without control characters.";
        }

        IPNetwork? prefix = null;
        if (body.Prefix is not null)
        {
            if (TryParsePrefix(body.Prefix, out IPNetwork parsed))
            {
                prefix = parsed;
            }
            else
            {
                problems["prefix"] = $"'{body.Prefix}' is not a prefix such as 203.0.113.10/32 with all host bits zero.";
            }
        }

        Role? role = null;
        if (body.Role is not null)
        {
            if (ApiWords.TryParseKebab(body.Role, out Role parsed))
            {
                role = parsed;
            }
            else
            {
                problems["role"] = $"'{body.Role}' is not {ApiWords.Choices<Role>()}.";
            }
        }

        Failback? failback = null;
        if (body.Failback is { } wanted)
        {
            if (wanted.Policy is null || !ApiWords.TryParseKebab(wanted.Policy, out FailbackPolicy policy))
            {
                problems["failback.policy"] = $"Write {ApiWords.Choices<FailbackPolicy>()}.";
            }
            else if (wanted.StableSeconds is { } stable && (stable < 1 || stable > Failback.Longest.TotalSeconds))
            {
                problems["failback.stableSeconds"] = $"Write 1 to {Failback.Longest.TotalSeconds:0} seconds.";
            }
            else
            {
                failback = Failback.Of(policy, wanted.StableSeconds is { } given ? TimeSpan.FromSeconds(given) : Failback.Default.StableFor);
            }
        }

        if (body.DeadlineSeconds is < 1 or > 600)
        {
            problems["deadlineSeconds"] = "Write 1 to 600 seconds.";
        }

        if (body.OverrideRules?.Any(r => r is null || !RuleId().IsMatch(r)) == true)
        {
            problems["overrideRules"] = "Write the ids of rules, such as SR-01.";
        }

        if (problems.Count > 0)
        {
            return new Read(null, StatusCodes.Status400BadRequest, problems.ToImmutable()) { Body = body };
        }

        // On a pair's path the target of what is about a node is the node that is meant.
        bool targetIsNode = !type.IsOfPair() && node is null;
        return new Read(
            new OperationRequest
            {
                Type = type,
                Pair = pair,
                Node = targetIsNode ? body.Target : node,
                Target = targetIsNode ? null : body.Target,
                Prefix = prefix,
                Role = role,
                Failback = failback,
                Neighbor = body.Neighbor,
                DataCenter = body.DataCenter,
                StartAt = body.StartAt,
                WindowEndsAt = body.WindowEndsAt,
                ExpiresIn = body.ExpiresInSeconds is { } lasts ? TimeSpan.FromSeconds(lasts) : null,
                Reason = body.Reason,
                Deadline = body.DeadlineSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                ExpectedRevision = body.ExpectedRevision,
                OverrideRules = [.. body.OverrideRules ?? []],
            },
            StatusCodes.Status200OK,
            ImmutableSortedDictionary<string, string>.Empty);
    }

    /// <summary>IPNetwork alone would silently take 203.0.113.10/24 for 203.0.113.0/24.</summary>
    private static bool TryParsePrefix(string text, out IPNetwork prefix) =>
        IPNetwork.TryParse(text, out prefix) && IPAddress.TryParse(text.AsSpan(0, text.IndexOf('/', StringComparison.Ordinal)), out IPAddress? address) && address.Equals(prefix.BaseAddress);

    /// <summary>
    /// System.Text.Json names a field of the wrong type in its path, but an unknown one only in its message, in quotes.
    /// </summary>
    private static string FieldOf(JsonException exception)
    {
        // Broken syntax is found by the reader below the serializer; the path then only says how far it came.
        if (exception.InnerException is JsonException)
        {
            return "$";
        }

        if (exception.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal))
        {
            return path[2..];
        }

        Match quoted = Quoted().Match(exception.Message);
        return quoted.Success && exception.Message.Contains("JSON property", StringComparison.Ordinal) ? quoted.Groups[1].Value : "$";
    }

    [GeneratedRegex("'([^']{1,100})'")]
    private static partial Regex Quoted();

    [GeneratedRegex("^SR-[0-9]{2}$")]
    private static partial Regex RuleId();

    /// <summary>Either a request, or a status and what is wrong by field ("$": the body as a whole).</summary>
    internal sealed record Read(OperationRequest? Request, int Status, ImmutableSortedDictionary<string, string> Problems)
    {
        /// <summary>What was sent, where it could be read at all.</summary>
        public OperationBody? Body { get; init; }

        /// <summary>The same with the revision that the header If-Match names: another spelling of expectedRevision.</summary>
        public Read Expecting(Microsoft.Extensions.Primitives.StringValues ifMatch)
        {
            string? problem = RevisionTag.TryRead(ifMatch, out long? revision);
            if (problem is null && revision is not null && Request?.ExpectedRevision is { } said && said != revision)
            {
                problem = $"It names revision {revision}, but expectedRevision is {said}. Send one of the two.";
            }

            return problem is not null
                ? this with { Request = null, Status = StatusCodes.Status400BadRequest, Problems = Problems.SetItem("If-Match", problem) }
                : Request is null || revision is null ? this : this with { Request = Request with { ExpectedRevision = revision } };
        }

        public static Read Problem(int status, string field, string what) =>
            new(null, status, ImmutableSortedDictionary<string, string>.Empty.Add(field, what));
    }
}
