using System.Collections.Immutable;
using System.Text.Json.Nodes;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using Microsoft.OpenApi;

namespace FailoverHub.Web.Api.Description;

/// <summary>One query parameter of a call: what the document says of it, and what the call accepts, are the same list.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does, for people.</param>
/// <param name="Schema">What may be written.</param>
internal sealed record QueryParameter(string Name, string Description, OpenApiSchema Schema)
{
    public static readonly QueryParameter Cursor = Text("cursor", "The nextCursor of the page before, unchanged; left out: the first page.");
    public static readonly QueryParameter From = Time("from", "At or after this time.");
    public static readonly QueryParameter To = Time("to", "Before this time.");

    public static QueryParameter Text(string name, string description) => new(name, description, new OpenApiSchema { Type = JsonSchemaType.String });

    public static QueryParameter Time(string name, string description) => new(name, description, new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" });

    public static QueryParameter Limit(int most, int otherwise) => new("limit", "The most items of the page.", new OpenApiSchema
    {
        Type = JsonSchemaType.Integer, Format = "int32", Minimum = "1", Maximum = most.ToString(System.Globalization.CultureInfo.InvariantCulture), Default = JsonValue.Create(otherwise),
    });

    public static QueryParameter Words(string name, string description, params IEnumerable<string> words) =>
        new(name, description, new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. words.Select(w => (JsonNode)JsonValue.Create(w)!)] });

    public static QueryParameter State() => Words("state", "Only pairs in this state.", Enum.GetNames<PairState>());

    public static QueryParameter Severity() => Words("severity", "At least so severe.", Enum.GetValues<EventSeverity>().Select(ApiWords.Kebab));

    public static QueryParameter Search() => new("text", $"Words that all have to be in it: at most {HistoryFilter.MaxWords}; a star at the end of one: words that begin so.", new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = HistoryFilter.MaxText });
}

/// <summary>The query parameters of one call, as metadata of its endpoint.</summary>
internal sealed class QueryParameters(params ImmutableArray<QueryParameter> all)
{
    public ImmutableArray<QueryParameter> All => all;

    public string[] Names => [.. all.Select(p => p.Name)];
}

internal static class QueryParameterExtensions
{
    /// <summary>Describes the query parameters; <see cref="ApiQuery"/> refuses every other.</summary>
    public static RouteHandlerBuilder WithQuery(this RouteHandlerBuilder route, params ImmutableArray<QueryParameter> parameters) => route.WithMetadata(new QueryParameters(parameters));
}
