using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class ProbeStorage : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "ProbeSamples");

            migrationBuilder.CreateTable(
                name: "HourRollups",
                columns: table => new
                {
                    SeriesId = table.Column<int>(type: "INTEGER", nullable: false),
                    Day = table.Column<long>(type: "INTEGER", nullable: false),
                    Data = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_HourRollups", x => new { x.SeriesId, x.Day });
                });

            migrationBuilder.CreateTable(
                name: "MinuteRollups",
                columns: table => new
                {
                    Hour = table.Column<long>(type: "INTEGER", nullable: false),
                    SeriesId = table.Column<int>(type: "INTEGER", nullable: false),
                    Data = table.Column<byte[]>(type: "BLOB", nullable: false),
                    Open = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_MinuteRollups", x => new { x.Hour, x.SeriesId });
                });

            migrationBuilder.CreateTable(
                name: "Outages",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    AtMs = table.Column<long>(type: "INTEGER", nullable: false),
                    Pair = table.Column<string>(type: "TEXT", nullable: false),
                    Prefix = table.Column<string>(type: "TEXT", nullable: false),
                    Vantage = table.Column<string>(type: "TEXT", nullable: false),
                    Kind = table.Column<string>(type: "TEXT", nullable: false),
                    OperationId = table.Column<string>(type: "TEXT", nullable: true),
                    FromNode = table.Column<string>(type: "TEXT", nullable: true),
                    ToNode = table.Column<string>(type: "TEXT", nullable: true),
                    FirstLossMs = table.Column<long>(type: "INTEGER", nullable: true),
                    LastLossMs = table.Column<long>(type: "INTEGER", nullable: true),
                    Sent = table.Column<int>(type: "INTEGER", nullable: false),
                    Lost = table.Column<int>(type: "INTEGER", nullable: false),
                    LongestMs = table.Column<long>(type: "INTEGER", nullable: false),
                    GoesOn = table.Column<bool>(type: "INTEGER", nullable: false),
                    ResolutionMs = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Outages", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "ProbeJournal",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Minute = table.Column<long>(type: "INTEGER", nullable: false),
                    Data = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ProbeJournal", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "ProbeSeries",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Target = table.Column<string>(type: "TEXT", nullable: false),
                    Vantage = table.Column<string>(type: "TEXT", nullable: false),
                    IntervalMs = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ProbeSeries", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "ProbeTargets",
                columns: table => new
                {
                    NameKey = table.Column<string>(type: "TEXT", nullable: false),
                    Name = table.Column<string>(type: "TEXT", nullable: false),
                    Kind = table.Column<string>(type: "TEXT", nullable: false),
                    Address = table.Column<string>(type: "TEXT", nullable: false),
                    IntervalMs = table.Column<int>(type: "INTEGER", nullable: false),
                    Options = table.Column<string>(type: "TEXT", nullable: false),
                    ChangedAtMs = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ProbeTargets", x => x.NameKey);
                });

            migrationBuilder.CreateTable(
                name: "RawProbes",
                columns: table => new
                {
                    Minute = table.Column<long>(type: "INTEGER", nullable: false),
                    SeriesId = table.Column<int>(type: "INTEGER", nullable: false),
                    Data = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_RawProbes", x => new { x.Minute, x.SeriesId });
                });

            migrationBuilder.CreateIndex(
                name: "IX_HourRollups_Day",
                table: "HourRollups",
                column: "Day");

            migrationBuilder.CreateIndex(
                name: "IX_MinuteRollups_Open",
                table: "MinuteRollups",
                columns: new[] { "SeriesId", "Hour" },
                filter: "\"Open\"");

            migrationBuilder.CreateIndex(
                name: "IX_Outages_AtMs",
                table: "Outages",
                column: "AtMs");

            migrationBuilder.CreateIndex(
                name: "IX_Outages_OperationId",
                table: "Outages",
                column: "OperationId");

            migrationBuilder.CreateIndex(
                name: "IX_Outages_Pair_AtMs",
                table: "Outages",
                columns: new[] { "Pair", "AtMs" });

            migrationBuilder.CreateIndex(
                name: "IX_ProbeSeries_Target_Vantage",
                table: "ProbeSeries",
                columns: new[] { "Target", "Vantage" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "HourRollups");

            migrationBuilder.DropTable(
                name: "MinuteRollups");

            migrationBuilder.DropTable(
                name: "Outages");

            migrationBuilder.DropTable(
                name: "ProbeJournal");

            migrationBuilder.DropTable(
                name: "ProbeSeries");

            migrationBuilder.DropTable(
                name: "ProbeTargets");

            migrationBuilder.DropTable(
                name: "RawProbes");

            migrationBuilder.CreateTable(
                name: "ProbeSamples",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    AtMs = table.Column<long>(type: "INTEGER", nullable: false),
                    Error = table.Column<string>(type: "TEXT", nullable: true),
                    Prefix = table.Column<string>(type: "TEXT", nullable: false),
                    RttMicroseconds = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ProbeSamples", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_ProbeSamples_AtMs",
                table: "ProbeSamples",
                column: "AtMs");

            migrationBuilder.CreateIndex(
                name: "IX_ProbeSamples_Prefix_AtMs",
                table: "ProbeSamples",
                columns: new[] { "Prefix", "AtMs" });
        }
    }
}
