using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class OutageRanges : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "ActiveNode",
                table: "Pairs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "ShortestMs",
                table: "Outages",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "UnprobedMs",
                table: "Outages",
                type: "INTEGER",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "ActiveNode",
                table: "Pairs");

            migrationBuilder.DropColumn(
                name: "ShortestMs",
                table: "Outages");

            migrationBuilder.DropColumn(
                name: "UnprobedMs",
                table: "Outages");
        }
    }
}
